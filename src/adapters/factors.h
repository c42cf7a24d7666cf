// The factors of a layer's change and the change they stand for, in float32:
//   LoRA      up down                              arXiv:2106.09685; with a middle for convolutions LyCORIS' LoCon
//   LoHa      (w1_a w1_b) * (w2_a w2_b), elementwise            arXiv:2108.06098, arXiv:2309.14859
//   LoKr      w1 (x) w2, Kronecker's product                    arXiv:2309.14859
//   full      the difference itself
// each times alpha / rank; with a magnitude (DoRA, arXiv:2402.09353) the changed weight is brought to that length.
#pragma once

#include "adapters/network_layers.h"

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>

namespace fjord::adapters {

struct Factors {
  std::map<std::string, at::Tensor> tensors;  // float32 by role, see KeyName; without alpha, bias and magnitude
  double scale = 1.0;                         // alpha / rank
  at::Tensor bias;                            // float32 [outputs], the change of the bias; undefined: none
  at::Tensor magnitude;                       // DoRA: shaped to divide the weight; undefined: none

  // A product of two small matrices (or three) and nothing else: it can run beside the layer.
  bool is_low_rank() const { return tensors.contains("down") && !magnitude.defined(); }
  // The weight itself stays as it is.
  bool is_bias_only() const { return tensors.empty() && !magnitude.defined(); }
};

// What a file says about a layer besides its factors.
struct Scaling {
  std::optional<double> alpha;   // none: the rank
  std::optional<double> rank;    // of the configuration, where the factors do not show it
  bool rank_stabilized = false;  // alpha / sqrt(rank), arXiv:2312.03732
};

// Takes the tensors that a file has for a layer, by role. Throws Error(kBadFile), naming the layer, where a factor is
// missing, has a rank of 0 or does not fit the layer; kNonFinite for NaN and infinity.
Factors make_factors(std::map<std::string, at::Tensor> tensors, const Layer& layer, const Scaling& scaling);

// The change of `weight` at this strength, float32 and shaped as it is. `weight`: float32, the layer's.
at::Tensor change_of_weight(const Factors& factors, const at::Tensor& weight, double strength);

}  // namespace fjord::adapters
