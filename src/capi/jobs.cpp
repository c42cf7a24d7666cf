#include "capi/objects.h"
#include "capi/structs.h"

#include <cmath>

namespace fjord::capi {
namespace {

QueueOptions to_cpp(const fjord_queue_options& given) {
  QueueOptions out;
  if (given.workers != 0) out.workers = given.workers;
  if (given.time_slices != 0) {
    if (given.workers != 0) refuse("workers must be 0 with time_slices, got " + std::to_string(given.workers));
    out.workers = 0;
  }
  out.threads = given.threads;
  if (given.max_packed != 0) out.max_packed = given.max_packed;
  if (given.max_waiting != 0) out.max_waiting = given.max_waiting;
  out.background = given.background != 0;
  return out;
}

// How a job ended: its status, or FJORD_NOT_READY.
fjord_status status_of(const Job& job) {
  if (job.state() == JobState::kQueued || job.state() == JobState::kRunning) return FJORD_NOT_READY;
  return guarded([&] { job.result(); });
}

void log_end(const LogSink& log, const Job& job) {
  const auto status = status_of(job);
  if (status == FJORD_OK) {
    for (const auto& warning : job.result().warnings) log.write(FJORD_LOG_WARNING, warning);
  } else if (status != FJORD_CANCELLED) {
    log.write(FJORD_LOG_ERROR, fjord_last_error());
  }
}

JobOptions to_cpp(const fjord_job_options& given, fjord_job handle, const LogSink& log) {
  JobOptions out;
  out.priority = given.priority;
  out.preview_every = given.preview_every;
  out.pack = given.alone == 0;
  if (given.on_progress != nullptr) {
    out.on_progress = [given, handle](const Job& job) {
      const InCallback inside;
      const auto progress = to_c(job.progress());
      given.on_progress(given.user, handle, &progress);
    };
  }
  out.on_end = [given, handle, log](const Job& job) {
    log_end(log, job);
    const InCallback inside;
    if (given.on_end != nullptr) given.on_end(given.user, handle, status_of(job));
  };
  return out;
}

fjord_job_status poll(const Job& job) {
  fjord_job_status out = FJORD_INIT(fjord_job_status);
  const auto progress = job.progress();
  out.state = static_cast<std::int32_t>(job.state());
  out.phase = static_cast<std::int32_t>(progress.phase);
  out.step = progress.step;
  out.steps = progress.steps;
  out.seconds = progress.seconds;
  if (const auto preview = job.preview()) {
    out.preview_width = preview->width;
    out.preview_height = preview->height;
  }
  return out;
}

}  // namespace

extern "C" {

fjord_status fjord_queue_create(const fjord_queue_options* options, fjord_queue* out) {
  return guarded([&] {
    need(out, "out");
    *out = add_handle(std::make_shared<QueueObject>(QueueObject{JobQueue(to_cpp(read_struct(options, "options")))}));
  });
}

fjord_status fjord_queue_free(fjord_queue queue) {
  return guarded([&] {
    find_handle<QueueObject>(queue);
    refuse_in_callback("fjord_queue_free");
    remove_handle<QueueObject>(queue)->queue.close();
  });
}

fjord_status fjord_queue_advance(fjord_queue queue, double max_milliseconds, int32_t* more) {
  return guarded([&] {
    const auto object = find_handle<QueueObject>(queue);
    refuse_in_callback("fjord_queue_advance");
    const bool remains = object->queue.advance(max_milliseconds);
    if (more != nullptr) *more = remains ? 1 : 0;
  });
}

fjord_status fjord_queue_submit(fjord_queue queue, fjord_pipeline pipeline, fjord_request request,
                                const fjord_job_options* options, fjord_job* out) {
  return guarded([&] {
    const auto owner = find_handle<QueueObject>(queue);
    const auto model = find_handle<PipelineObject>(pipeline);
    const auto wish = find_handle<RequestObject>(request);
    need(out, "out");
    const auto given = read_struct(options, "options");
    auto object = std::make_shared<JobObject>();
    const std::lock_guard lock(object->mutex);
    const auto handle = add_handle(object);
    try {
      object->job = owner->queue.submit(model->pipeline, wish->request, to_cpp(given, handle, model->log));
    } catch (...) {
      remove_handle<JobObject>(handle);
      throw;
    }
    *out = handle;
  });
}

fjord_status fjord_job_poll(fjord_job job, fjord_job_status* out) {
  return guarded([&] { write_struct(out, poll(find_handle<JobObject>(job)->get()), "out"); });
}

fjord_status fjord_job_cancel(fjord_job job) {
  return guarded([&] { Job(find_handle<JobObject>(job)->get()).cancel(); });
}

fjord_status fjord_job_wait(fjord_job job, double milliseconds) {
  return guarded([&] {
    const auto object = find_handle<JobObject>(job);
    refuse_in_callback("fjord_job_wait");
    if (std::isnan(milliseconds)) refuse("milliseconds must be a number, got NaN");
    if (!object->get().wait_for(milliseconds)) throw StatusError{FJORD_NOT_READY, "the job has not ended yet"};
  });
}

fjord_status fjord_job_copy_preview(fjord_job job, void* rgba, uint64_t bytes) {
  return guarded([&] {
    const auto preview = find_handle<JobObject>(job)->get().preview();
    if (!preview) throw StatusError{FJORD_NOT_READY, "the job has no preview yet"};
    copy_bytes(preview->pixels.data(), preview->pixels.size(), rgba, bytes, "rgba");
  });
}

fjord_status fjord_job_get_result(fjord_job job, fjord_result* out) {
  return guarded([&] {
    const auto object = find_handle<JobObject>(job);
    need(out, "out");
    const auto& own = object->get();
    if (own.state() == JobState::kQueued || own.state() == JobState::kRunning) {
      throw StatusError{FJORD_NOT_READY, "the job has not ended yet"};
    }
    // The job keeps its result; the handle of the result keeps the job.
    *out = add_handle(std::make_shared<ResultObject>(
        ResultObject{std::shared_ptr<const Result>(std::make_shared<Job>(own), &own.result())}));
  });
}

fjord_status fjord_job_free(fjord_job job) {
  return guarded([&] {
    find_handle<JobObject>(job);
    refuse_in_callback("fjord_job_free");
    auto own = remove_handle<JobObject>(job)->get();
    own.cancel();
    own.wait_for(-1);
  });
}

}  // extern "C"

}  // namespace fjord::capi
