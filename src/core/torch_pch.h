// Precompiled once and shared by every room that uses LibTorch: tensors and operators, no torch/torch.h.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>
