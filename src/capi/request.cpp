#include "capi/objects.h"
#include "capi/request_fields.h"
#include "capi/structs.h"

#include <cstring>
#include <limits>

namespace fjord::capi {
namespace {

constexpr size_t kMaxDims = 8;

Request to_cpp(const fjord_request_options& given) {
  Request out;
  out.prompt = text_of(given.prompt, "prompt");
  out.negative_prompt = text_of(given.negative_prompt, "negative_prompt");
  out.scheduler = text_of(given.scheduler, "scheduler");
  out.width = given.width;
  out.height = given.height;
  out.steps = given.steps;
  if (given.images != 0) out.images = given.images;
  if (given.has_guidance != 0) out.guidance = given.guidance;
  out.seed = given.seed;
  return out;
}

// Without its network.
ControlUse to_cpp(const fjord_control_use& given) {
  ControlUse out;
  if (given.pixels != nullptr) {
    const Pixels pixels{static_cast<const std::uint8_t*>(given.pixels), given.width, given.height, 3};
    out.image = {given.width, given.height, copy_of(pixels, "use->pixels", 3)};
  }
  if (given.scale != 0) out.scale = given.scale;
  out.begin = given.begin;
  if (given.end != 0) out.end = given.end;
  out.hide_painted = given.hide_painted != 0;
  return out;
}

Array to_array(const float* values, const std::int64_t* shape, size_t dims) {
  if (dims == 0) return {};
  if (dims > kMaxDims) refuse("an array has at most 8 dimensions, got " + std::to_string(dims));
  need(values, "values");
  need(shape, "shape");
  Array out{{shape, shape + dims}, {}};
  std::int64_t count = 1;
  for (const auto extent : out.shape) {
    constexpr std::int64_t kMost = std::int64_t{1} << 32;
    if (extent < 1 || extent > kMost / count) refuse("the shape of an array must be of 1 to 2^32 values");
    count *= extent;
  }
  out.values.assign(values, values + count);
  return out;
}

}  // namespace

extern "C" {

fjord_status fjord_request_create(const fjord_request_options* options, fjord_request* out) {
  return guarded([&] {
    need(out, "out");
    *out = add_handle(std::make_shared<RequestObject>(RequestObject{to_cpp(read_struct(options, "options"))}));
  });
}

fjord_status fjord_request_set(fjord_request request, const char* name, const char* value) {
  return guarded([&] {
    const auto object = find_handle<RequestObject>(request);
    need(name, "name");
    need(value, "value");
    set_field(object->request, text_of(name, "name"), text_of(value, "value"));
  });
}

const char* fjord_request_fields() {
  const char* list = "";
  guarded([&] { list = field_list().c_str(); });
  return list;
}

fjord_status fjord_request_set_array(fjord_request request, const char* name, const float* values, const int64_t* shape,
                                     size_t dims) {
  return guarded([&] {
    const auto object = find_handle<RequestObject>(request);
    need(name, "name");
    set_array(object->request, text_of(name, "name"), to_array(values, shape, dims));
  });
}

fjord_status fjord_request_set_image(fjord_request request, const char* name, const void* pixels, int32_t width,
                                     int32_t height, int32_t channels) {
  return guarded([&] {
    const auto object = find_handle<RequestObject>(request);
    need(name, "name");
    set_image(object->request, text_of(name, "name"),
              {static_cast<const std::uint8_t*>(pixels), width, height, channels});
  });
}

fjord_status fjord_request_set_embeddings(fjord_request request, fjord_embeddings embeddings) {
  return guarded([&] {
    const auto object = find_handle<RequestObject>(request);
    object->request.embeddings = find_handle<EmbeddingsObject>(embeddings)->embeddings;
  });
}

fjord_status fjord_request_add_control(fjord_request request, fjord_control control, const fjord_control_use* use) {
  return guarded([&] {
    const auto object = find_handle<RequestObject>(request);
    auto added = to_cpp(read_struct(use, "use"));
    added.control = find_handle<ControlObject>(control)->control;
    object->request.controls.push_back(std::move(added));
  });
}

fjord_status fjord_request_clear_controls(fjord_request request) {
  return guarded([&] { find_handle<RequestObject>(request)->request.controls.clear(); });
}

fjord_status fjord_request_free(fjord_request request) {
  return guarded([&] { remove_handle<RequestObject>(request); });
}

}  // extern "C"

}  // namespace fjord::capi
