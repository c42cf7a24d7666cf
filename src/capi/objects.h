// What the handles name.
#pragma once

#include "capi/handles.h"

#include <fjord/jobs.h>
#include <fjord/pipeline.h>

#include <mutex>
#include <optional>

namespace fjord::capi {

// The log of one pipeline; what the host's function throws is dropped.
struct LogSink {
  fjord_log_fn function = nullptr;
  void* user = nullptr;
  void write(int level, const std::string& message) const noexcept;
};

struct PipelineObject {
  static constexpr Kind kKind = Kind::kPipeline;
  Pipeline pipeline;
  LogSink log;
};

struct RequestObject {
  static constexpr Kind kKind = Kind::kRequest;
  Request request;
};

struct ResultObject {
  static constexpr Kind kKind = Kind::kResult;
  std::shared_ptr<const Result> result;
};

struct ControlObject {
  static constexpr Kind kKind = Kind::kControl;
  Control control;
};

struct EmbeddingsObject {
  static constexpr Kind kKind = Kind::kEmbeddings;
  PromptEmbeddings embeddings;
};

struct AdapterObject {
  static constexpr Kind kKind = Kind::kAdapter;
  Adapter adapter;
};

struct ImageAdapterObject {
  static constexpr Kind kKind = Kind::kImageAdapter;
  ImageAdapter adapter;
};

struct QueueObject {
  static constexpr Kind kKind = Kind::kQueue;
  JobQueue queue;
};

struct JobObject {
  static constexpr Kind kKind = Kind::kJob;
  const Job& get() const {
    const std::lock_guard lock(mutex);  // submit() holds it until there is a job
    return *job;
  }
  mutable std::mutex mutex;
  std::optional<Job> job;
};

fjord_progress to_c(const Progress& progress);

// Copies into the host's memory. Throws FJORD_INVALID_ARGUMENT, naming `what`, where there is less room.
void copy_bytes(const void* data, size_t size, void* out, std::uint64_t room, const char* what);

// The picture `index`, or FJORD_INVALID_ARGUMENT.
const Image& image_of(const Result& result, std::int32_t index);

}  // namespace fjord::capi
