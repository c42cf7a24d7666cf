// Everything of fjord's C++ interface. No LibTorch header is included: the opt-in tier for that is fjord/torch/.
#pragma once

#include <fjord/adapters.h>
#include <fjord/approximation.h>
#include <fjord/attention.h>
#include <fjord/convert.h>
#include <fjord/embeddings.h>
#include <fjord/error.h>
#include <fjord/guidance.h>
#include <fjord/heat_map.h>
#include <fjord/hires.h>
#include <fjord/image.h>
#include <fjord/image_input.h>
#include <fjord/image_prompt.h>
#include <fjord/inspect.h>
#include <fjord/jobs.h>
#include <fjord/model_files.h>
#include <fjord/pipeline.h>
#include <fjord/preset.h>
#include <fjord/progress.h>
#include <fjord/quantize.h>
#include <fjord/request.h>
#include <fjord/seamless.h>
#include <fjord/storage.h>
#include <fjord/texture.h>
#include <fjord/variation.h>
#include <fjord/version.h>
