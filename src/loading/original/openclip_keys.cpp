// A text encoder's names in OpenCLIP's layout. Its text_projection is multiplied from the right there: transposed here.
#include "loading/original/key_map.h"

#include <array>

namespace fjord::loading {
namespace {

struct Names {
  const char* original;
  const char* diffusers;
  Form form = Form::kSame;
};

constexpr std::array kOutside{
    Names{"positional_embedding", "text_model.embeddings.position_embedding.weight"},
    Names{"token_embedding", "text_model.embeddings.token_embedding"},
    Names{"ln_final", "text_model.final_layer_norm"},
    Names{"text_projection", "text_projection.weight", Form::kTransposed},
};

constexpr std::array kLayer{
    Names{"ln_1", "layer_norm1"},
    Names{"ln_2", "layer_norm2"},
    Names{"mlp.c_fc", "mlp.fc1"},
    Names{"mlp.c_proj", "mlp.fc2"},
    Names{"attn.out_proj", "self_attn.out_proj"},
    Names{"attn.in_proj_weight", "self_attn.*_proj.weight", Form::kFused},
    Names{"attn.in_proj_bias", "self_attn.*_proj.bias", Form::kFused},
};

}  // namespace

KeyMap openclip_keys(const AssembledTensors& tensors) {
  KeyMap map;
  for (const auto& [original, diffusers, form] : kOutside) map.push_back({original, diffusers, form});
  for (size_t i = 0;; ++i) {
    const auto original = "transformer.resblocks." + std::to_string(i) + ".";
    const auto diffusers = "text_model.encoder.layers." + std::to_string(i) + ".";
    if (!has_prefix(tensors, original) && !has_prefix(tensors, diffusers)) return map;
    for (const auto& part : kLayer) map.push_back({original + part.original, diffusers + part.diffusers, part.form});
  }
}

}  // namespace fjord::loading
