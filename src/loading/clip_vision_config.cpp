// Reference: transformers CLIPVisionConfig. As with the text encoder's, unknown fields pass; those that change what the
// encoder computes are all read here.
#include "core/check.h"
#include "loading/config_json.h"
#include "loading/config_reader.h"

namespace fjord::loading {

config::ClipVision read_clip_vision_config(std::string_view text, const std::string& where) {
  ConfigReader reader(text, where);
  config::ClipVision clip;
  std::vector<std::string> architectures;
  reader.texts("architectures", architectures);
  check(architectures.empty() || architectures.front() == "CLIPVisionModelWithProjection", ErrorCode::kUnsupported,
        where, ": expected an image encoder, CLIPVisionModelWithProjection, got ",
        architectures.empty() ? "" : fjord::quoted(architectures.front()));
  reader.integer("hidden_size", clip.hidden_size, kSize);
  reader.integer("intermediate_size", clip.intermediate_size, kSize);
  reader.integer("projection_dim", clip.projection_dim, kSize);
  reader.integer("num_hidden_layers", clip.num_hidden_layers, kCount);
  reader.integer("num_attention_heads", clip.num_attention_heads, kCount);
  reader.integer("image_size", clip.image_size, {1, 4096});
  reader.integer("patch_size", clip.patch_size, {1, 4096});
  reader.only("num_channels", 3);
  reader.text("hidden_act", clip.hidden_act);
  reader.number("layer_norm_eps", clip.layer_norm_eps, {0, 1});
  check(clip.hidden_size % clip.num_attention_heads == 0, ErrorCode::kBadFile, where,
        ": expected hidden_size divisible by num_attention_heads, got ", clip.hidden_size, " and ",
        clip.num_attention_heads);
  check(clip.image_size >= clip.patch_size, ErrorCode::kBadFile, where,
        ": expected patches that fit into the picture, got patches of ", clip.patch_size, " and pictures of ",
        clip.image_size, " pixels");
  return clip;
}

}  // namespace fjord::loading
