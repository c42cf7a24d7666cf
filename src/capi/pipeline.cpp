#include "capi/objects.h"
#include "capi/structs.h"

#include <fjord/embeddings.h>
#include <fjord/storage.h>

#include <cstring>
#include <functional>

namespace fjord::capi {
namespace {

class CallbackFile : public StoredFile {
 public:
  CallbackFile(const fjord_storage& storage, std::string name, std::uint64_t size)
      : storage_(storage), name_(std::move(name)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    const InCallback inside;
    const auto failed = storage_.read(storage_.user, name_.c_str(), offset, out.data(), out.size());
    if (failed != 0) throw std::runtime_error("the read function returned " + std::to_string(failed));
  }

 private:
  fjord_storage storage_;
  std::string name_;
  std::uint64_t size_;
};

class CallbackStorage : public Storage {
 public:
  explicit CallbackStorage(const fjord_storage& storage) : storage_(storage) {}
  std::unique_ptr<StoredFile> open(const std::string& name) const override {
    const InCallback inside;
    const auto size = storage_.size(storage_.user, name.c_str());
    if (size < 0) return nullptr;
    return std::make_unique<CallbackFile>(storage_, name, static_cast<std::uint64_t>(size));
  }

 private:
  fjord_storage storage_;
};

Precision precision_of(std::int32_t value) {
  switch (value) {
    case FJORD_PRECISION_AUTO: return Precision::kAuto;
    case FJORD_FLOAT32: return Precision::kFloat32;
    case FJORD_BFLOAT16: return Precision::kBFloat16;
    case FJORD_FLOAT16: return Precision::kFloat16;
    default: refuse("precision must be FJORD_FLOAT32 or another, got " + std::to_string(value));
  }
}

LoadOptions to_cpp(const fjord_load_options& given) {
  LoadOptions out;
  out.precision = precision_of(given.precision);
  if (given.device != nullptr) out.device = text_of(given.device, "device");
  if (given.cpu_kernels != nullptr) out.cpu_kernels = text_of(given.cpu_kernels, "cpu_kernels");
  out.threads = given.threads;
  out.drop_text_encoder = given.drop_text_encoder != 0;
  out.without_text_encoder = given.without_text_encoder != 0;
  return out;
}

using Load = std::function<Pipeline(const LoadOptions&)>;

fjord_status load(const fjord_load_options* given, fjord_pipeline* out, const Load& load_with) {
  return guarded([&] {
    need(out, "out");
    const auto options = read_struct(given, "options");
    const LogSink log{options.log, options.log_user};
    try {
      auto object = std::make_shared<PipelineObject>(PipelineObject{load_with(to_cpp(options)), log});
      log.write(FJORD_LOG_INFO, "loaded on " + object->pipeline.info().device);
      *out = add_handle(std::move(object));
    } catch (const std::exception& error) {
      log.write(FJORD_LOG_ERROR, error.what());
      throw;
    }
  });
}

std::shared_ptr<const Storage> storage_of(const fjord_file* files, size_t count) {
  std::map<std::string, std::span<const std::byte>> buffers;
  if (count > 0) need(files, "files");
  for (size_t i = 0; i < count; ++i) {
    need(files[i].name, "files[].name");
    if (files[i].size > 0) need(files[i].data, "files[].data");
    buffers[text_of(files[i].name, "files[].name")] = {static_cast<const std::byte*>(files[i].data), files[i].size};
  }
  return memory_storage(std::move(buffers));
}

std::shared_ptr<const Storage> storage_of(const fjord_storage* storage) {
  need(storage, "storage");
  const auto given = read_struct(storage, "storage");
  if (given.size == nullptr || given.read == nullptr) refuse("storage->size and storage->read must not be NULL");
  return std::make_shared<CallbackStorage>(given);
}

// `load_with` loads the network for the pipeline that it is given.
fjord_status load_control(fjord_pipeline pipeline, fjord_control* out,
                          const std::function<Control(const Pipeline&)>& load_with) {
  return guarded([&] {
    need(out, "out");
    const auto object = find_handle<PipelineObject>(pipeline);
    *out = add_handle(std::make_shared<ControlObject>(ControlObject{load_with(object->pipeline)}));
  });
}

template <size_t Size>
void copy_text(char (&out)[Size], const std::string& text) {
  std::memcpy(out, text.data(), std::min(text.size(), Size - 1));
}

fjord_pipeline_info to_c(const PipelineInfo& info) {
  fjord_pipeline_info out = FJORD_INIT(fjord_pipeline_info);
  out.width = info.width;
  out.height = info.height;
  out.size_multiple = info.size_multiple;
  out.max_size = info.max_size;
  out.steps = info.steps;
  out.max_steps = info.max_steps;
  out.latent_channels = info.latent_channels;
  out.max_tokens = info.max_tokens;
  out.guidance = info.guidance;
  copy_text(out.device, info.device);
  copy_text(out.kernels, info.kernels);
  copy_text(out.scheduler, info.scheduler);
  return out;
}

fjord_status make_embeddings(fjord_embeddings* out, const std::function<PromptEmbeddings()>& make) {
  return guarded([&] {
    need(out, "out");
    *out = add_handle(std::make_shared<EmbeddingsObject>(EmbeddingsObject{make()}));
  });
}

}  // namespace

extern "C" {

fjord_status fjord_pipeline_load(const char* path, const fjord_load_options* options, fjord_pipeline* out) {
  return load(options, out, [&](const LoadOptions& load_options) {
    need(path, "path");
    return Pipeline::load(text_of(path, "path"), load_options);
  });
}

fjord_status fjord_pipeline_load_files(const fjord_file* files, size_t count, const fjord_load_options* options,
                                       fjord_pipeline* out) {
  return load(options, out,
              [&](const LoadOptions& load_options) { return Pipeline::load(storage_of(files, count), load_options); });
}

fjord_status fjord_pipeline_load_storage(const fjord_storage* storage, const fjord_load_options* options,
                                         fjord_pipeline* out) {
  return load(options, out,
              [&](const LoadOptions& load_options) { return Pipeline::load(storage_of(storage), load_options); });
}

fjord_status fjord_pipeline_free(fjord_pipeline pipeline) {
  return guarded([&] { remove_handle<PipelineObject>(pipeline); });
}

fjord_status fjord_pipeline_get_info(fjord_pipeline pipeline, fjord_pipeline_info* out) {
  return guarded([&] { write_struct(out, to_c(find_handle<PipelineObject>(pipeline)->pipeline.info()), "out"); });
}

fjord_status fjord_encode_prompt(fjord_pipeline pipeline, const char* prompt, const char* negative_prompt,
                                 fjord_embeddings* out) {
  return make_embeddings(out, [&] {
    const auto object = find_handle<PipelineObject>(pipeline);
    return object->pipeline.encode_prompt(text_of(prompt, "prompt"), text_of(negative_prompt, "negative_prompt"));
  });
}

fjord_status fjord_embeddings_save(fjord_embeddings embeddings, const char* path) {
  return guarded([&] {
    const auto object = find_handle<EmbeddingsObject>(embeddings);
    need(path, "path");
    write_embeddings(text_of(path, "path"), object->embeddings);
  });
}

fjord_status fjord_embeddings_load(const char* path, fjord_embeddings* out) {
  return make_embeddings(out, [&] {
    need(path, "path");
    return read_embeddings(text_of(path, "path"));
  });
}

fjord_status fjord_embeddings_load_memory(const void* data, uint64_t size, fjord_embeddings* out) {
  return make_embeddings(out, [&] {
    if (size > 0) need(data, "data");
    return read_embeddings(std::span(static_cast<const std::byte*>(data), size));
  });
}

fjord_status fjord_embeddings_free(fjord_embeddings embeddings) {
  return guarded([&] { remove_handle<EmbeddingsObject>(embeddings); });
}

fjord_status fjord_control_load(fjord_pipeline pipeline, const char* path, fjord_control* out) {
  return load_control(pipeline, out, [&](const Pipeline& loader) {
    need(path, "path");
    return loader.load_control(text_of(path, "path"));
  });
}

fjord_status fjord_control_load_files(fjord_pipeline pipeline, const fjord_file* files, size_t count,
                                      fjord_control* out) {
  return load_control(pipeline, out,
                      [&](const Pipeline& loader) { return loader.load_control(storage_of(files, count)); });
}

fjord_status fjord_control_load_storage(fjord_pipeline pipeline, const fjord_storage* storage, fjord_control* out) {
  return load_control(pipeline, out, [&](const Pipeline& loader) { return loader.load_control(storage_of(storage)); });
}

fjord_status fjord_control_free(fjord_control control) {
  return guarded([&] { remove_handle<ControlObject>(control); });
}

}  // extern "C"

}  // namespace fjord::capi
