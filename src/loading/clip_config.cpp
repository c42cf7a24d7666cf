// Reference: transformers CLIPTextConfig. Such files carry many fields of the training framework, so unknown ones pass;
// those that change what the encoder computes are all read here.
#include "core/check.h"
#include "loading/config_json.h"
#include "loading/config_reader.h"

namespace fjord::loading {

config::ClipText read_clip_text_config(std::string_view text, const std::string& where) {
  ConfigReader reader(text, where);
  config::ClipText clip;
  std::vector<std::string> architectures;
  reader.texts("architectures", architectures);
  if (!architectures.empty()) clip.architecture = architectures.front();
  check(clip.architecture == "CLIPTextModel" || clip.architecture == "CLIPTextModelWithProjection",
        ErrorCode::kUnsupported, where, ": expected CLIPTextModel or CLIPTextModelWithProjection, got ",
        fjord::quoted(clip.architecture));
  reader.integer("vocab_size", clip.vocab_size, kSize);
  reader.integer("hidden_size", clip.hidden_size, kSize);
  reader.integer("intermediate_size", clip.intermediate_size, kSize);
  reader.integer("projection_dim", clip.projection_dim, kSize);
  reader.integer("num_hidden_layers", clip.num_hidden_layers, kCount);
  reader.integer("num_attention_heads", clip.num_attention_heads, kCount);
  reader.integer("max_position_embeddings", clip.max_position_embeddings, {3, 4096});
  reader.text("hidden_act", clip.hidden_act);
  reader.number("layer_norm_eps", clip.layer_norm_eps, {0, 1});
  reader.integer("eos_token_id", clip.eos_token_id, {0, 1 << 20});
  check(clip.hidden_size % clip.num_attention_heads == 0, ErrorCode::kBadFile, where,
        ": expected hidden_size divisible by num_attention_heads, got ", clip.hidden_size, " and ",
        clip.num_attention_heads);
  return clip;
}

}  // namespace fjord::loading
