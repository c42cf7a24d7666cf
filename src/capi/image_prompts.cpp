#include "capi/objects.h"
#include "capi/request_fields.h"
#include "capi/structs.h"

namespace fjord::capi {
namespace {

constexpr std::int32_t kMaxPictures = 16, kMaxLayerScales = 4096;

// The bytes of element `i` of the array `name`.
std::vector<std::uint8_t> bytes_of(const fjord_pixels* array, std::int32_t i, const std::string& name, int channels) {
  const auto& given = array[i];
  const auto label = "prompt->" + name + "[" + std::to_string(i) + "]";
  need(given.data, label.c_str());
  return copy_of({static_cast<const std::uint8_t*>(given.data), given.width, given.height, channels}, label, channels);
}

void check_count(std::int32_t count, std::int32_t most, const char* name) {
  if (count < 0 || count > most) {
    refuse(std::string(name) + " must be 0 to " + std::to_string(most) + ", got " + std::to_string(count));
  }
}

// Without its adapter.
ImagePrompt to_cpp(const fjord_image_prompt& given) {
  ImagePrompt out;
  check_count(given.count, kMaxPictures, "prompt->count");
  check_count(given.layer_count, kMaxLayerScales, "prompt->layer_count");
  if (given.count > 0) need(given.pictures, "prompt->pictures");
  if (given.layer_count > 0) need(given.layer_scales, "prompt->layer_scales");
  for (std::int32_t i = 0; i < given.count; ++i) {
    out.images.push_back(
        {given.pictures[i].width, given.pictures[i].height, bytes_of(given.pictures, i, "pictures", 3)});
    if (given.masks == nullptr) continue;
    out.masks.push_back({given.masks[i].width, given.masks[i].height, bytes_of(given.masks, i, "masks", 1)});
  }
  for (std::int32_t i = 0; i < given.layer_count; ++i) {
    need(given.layer_scales[i].name, "prompt->layer_scales[].name");
    out.layer_scales[text_of(given.layer_scales[i].name, "name")] = given.layer_scales[i].scale;
  }
  if (given.scale != 0 || given.layer_count > 0) out.scale = given.scale;
  return out;
}

}  // namespace

extern "C" {

fjord_status fjord_image_adapter_load(fjord_pipeline pipeline, const char* path, const char* encoder,
                                      fjord_image_adapter* out) {
  return guarded([&] {
    need(out, "out");
    const auto object = find_handle<PipelineObject>(pipeline);
    need(path, "path");
    auto adapter = object->pipeline.load_image_adapter(text_of(path, "path"), text_of(encoder, "encoder"));
    *out = add_handle(std::make_shared<ImageAdapterObject>(ImageAdapterObject{std::move(adapter)}));
  });
}

fjord_status fjord_image_adapter_free(fjord_image_adapter adapter) {
  return guarded([&] { remove_handle<ImageAdapterObject>(adapter); });
}

fjord_status fjord_request_add_image_prompt(fjord_request request, fjord_image_adapter adapter,
                                            const fjord_image_prompt* prompt) {
  return guarded([&] {
    const auto object = find_handle<RequestObject>(request);
    need(prompt, "prompt");
    auto added = to_cpp(read_struct(prompt, "prompt"));
    added.adapter = find_handle<ImageAdapterObject>(adapter)->adapter;
    object->request.image_prompts.push_back(std::move(added));
  });
}

fjord_status fjord_request_clear_image_prompts(fjord_request request) {
  return guarded([&] { find_handle<RequestObject>(request)->request.image_prompts.clear(); });
}

}  // extern "C"

}  // namespace fjord::capi
