#include "capi/objects.h"
#include "capi/structs.h"

#include <fjord/image.h>
#include <fjord/texture.h>

#include <algorithm>
#include <cstring>

namespace fjord::capi {

void copy_bytes(const void* data, size_t size, void* out, std::uint64_t room, const char* what) {
  need(out, what);
  if (room < size) {
    refuse("there must be " + std::to_string(size) + " bytes of room at " + what + ", got " + std::to_string(room));
  }
  std::memcpy(out, data, size);
}

namespace {

template <typename Value>
void copy_values(const std::vector<Value>& values, void* out, std::uint64_t room, const char* what) {
  copy_bytes(values.data(), values.size() * sizeof(Value), out, room, what);
}

void copy_image(const Image& image, std::int32_t format, void* out, std::uint64_t room) {
  switch (format) {
    case FJORD_RGB8: return copy_values(image.pixels, out, room, "pixels");
    case FJORD_RGBA8: return copy_values(to_rgba(image).pixels, out, room, "pixels");
    case FJORD_RGB_FLOAT: return copy_values(to_float(image).pixels, out, room, "pixels");
    case FJORD_RGBA_FLOAT: return copy_values(to_float(to_rgba(image)).pixels, out, room, "pixels");
    default: refuse("format must be FJORD_RGB8 or another, got " + std::to_string(format));
  }
}

fjord_result_info info_of(const Result& result) {
  fjord_result_info out = FJORD_INIT(fjord_result_info);
  out.images = static_cast<std::int32_t>(result.images.size());
  out.width = result.request.width;
  out.height = result.request.height;
  if (!result.images.empty()) {
    out.width = result.images[0].width;
    out.height = result.images[0].height;
  }
  out.warnings = static_cast<std::int32_t>(result.warnings.size());
  out.seed = result.request.seed;
  out.seconds = result.seconds;
  return out;
}

const Result& result_of(const std::shared_ptr<ResultObject>& object) { return *object->result; }

}  // namespace

const Image& image_of(const Result& result, std::int32_t index) {
  const auto count = result.images.size();
  if (index < 0 || static_cast<size_t>(index) >= count) {
    refuse("index must be from 0 to below " + std::to_string(count) + ", got " + std::to_string(index));
  }
  return result.images[static_cast<size_t>(index)];
}

extern "C" {

fjord_status fjord_generate(fjord_pipeline pipeline, fjord_request request, fjord_progress_fn progress, void* user,
                            fjord_result* out) {
  return guarded([&] {
    const auto model = find_handle<PipelineObject>(pipeline);
    const auto wish = find_handle<RequestObject>(request);
    need(out, "out");
    const auto observer = [&](const Progress& now, const Generation& /*generation*/) {
      const InCallback inside;
      const auto given = to_c(now);
      return progress == nullptr || progress(user, &given) == 0;
    };
    try {
      auto result = std::make_shared<const Result>(model->pipeline.generate(wish->request, observer));
      for (const auto& warning : result->warnings) model->log.write(FJORD_LOG_WARNING, warning);
      *out = add_handle(std::make_shared<ResultObject>(ResultObject{std::move(result)}));
    } catch (const std::exception& error) {
      model->log.write(FJORD_LOG_ERROR, error.what());
      throw;
    }
  });
}

fjord_status fjord_result_get_info(fjord_result result, fjord_result_info* out) {
  return guarded([&] { write_struct(out, info_of(result_of(find_handle<ResultObject>(result))), "out"); });
}

fjord_status fjord_result_copy_image(fjord_result result, int32_t index, int32_t format, void* pixels, uint64_t bytes) {
  return guarded([&] {
    const auto object = find_handle<ResultObject>(result);
    copy_image(image_of(*object->result, index), format, pixels, bytes);
  });
}

fjord_status fjord_result_copy_latents(fjord_result result, int64_t shape[4], float* values, uint64_t count) {
  return guarded([&] {
    const auto object = find_handle<ResultObject>(result);
    const auto& latents = object->result->latents;
    need(shape, "shape");
    if (values != nullptr) {
      copy_values(latents.values, values, std::min<std::uint64_t>(count, UINT64_MAX / sizeof(float)) * sizeof(float),
                  "values");
    }
    std::copy_n(latents.shape.begin(), std::min<size_t>(latents.shape.size(), 4), shape);
  });
}

fjord_status fjord_result_warning(fjord_result result, int32_t index, const char** out) {
  return guarded([&] {
    const auto object = find_handle<ResultObject>(result);
    const auto& warnings = object->result->warnings;
    need(out, "out");
    if (index < 0 || static_cast<size_t>(index) >= warnings.size()) {
      refuse("index must be from 0 to below " + std::to_string(warnings.size()) + ", got " + std::to_string(index));
    }
    *out = warnings[static_cast<size_t>(index)].c_str();
  });
}

fjord_status fjord_result_write_png(fjord_result result, int32_t index, const char* path) {
  return guarded([&] {
    const auto object = find_handle<ResultObject>(result);
    need(path, "path");
    write_png(text_of(path, "path"), image_of(*object->result, index));
  });
}

fjord_status fjord_result_free(fjord_result result) {
  return guarded([&] { remove_handle<ResultObject>(result); });
}

}  // extern "C"

}  // namespace fjord::capi
