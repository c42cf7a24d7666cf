/* Jobs: poll, wait, cancel, previews, time slices, and what is refused. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static fjord_job submit(fjord_queue queue, const char* steps, const fjord_job_options* options) {
  fjord_request request = small_request();
  fjord_job job = 0;
  CHECK_OK(fjord_request_set(request, "steps", steps));
  CHECK_OK(fjord_queue_submit(queue, tiny_model(), request, options, &job));
  CHECK_OK(fjord_request_free(request));
  return job;
}

static int32_t state_of(fjord_job job) {
  fjord_job_status status = FJORD_INIT(fjord_job_status);
  CHECK_OK(fjord_job_poll(job, &status));
  return status.state;
}

static void test_a_job(void) {
  fjord_queue queue = 0;
  fjord_result result = 0, again = 0;
  fjord_job_options options = FJORD_INIT(fjord_job_options);
  fjord_job_status status = FJORD_INIT(fjord_job_status);
  unsigned char preview[4 * 4 * 4];
  options.preview_every = 1;
  CHECK_OK(fjord_queue_create(NULL, &queue));
  fjord_job job = submit(queue, "3", &options);
  CHECK_OK(fjord_job_wait(job, -1));
  CHECK_OK(fjord_job_poll(job, &status));
  CHECK(status.state == FJORD_JOB_DONE && status.step == 3 && status.steps == 3 && status.phase == FJORD_FINISHED);
  CHECK(status.preview_width == 4 && status.preview_height == 4);
  CHECK_OK(fjord_job_copy_preview(job, preview, sizeof preview));
  CHECK(preview[3] == 255);
  CHECK_FAILS(fjord_job_copy_preview(job, preview, 63), FJORD_INVALID_ARGUMENT, "64 bytes of room");
  CHECK_FAILS(fjord_job_copy_preview(job, NULL, 64), FJORD_INVALID_ARGUMENT, "NULL");
  CHECK_OK(fjord_job_get_result(job, &result));
  CHECK_OK(fjord_job_get_result(job, &again));
  CHECK(result != again);
  CHECK_OK(fjord_job_cancel(job)); /* too late to matter */
  CHECK(state_of(job) == FJORD_JOB_DONE);
  CHECK_OK(fjord_job_free(job));
  CHECK_FAILS(fjord_job_cancel(job), FJORD_BAD_HANDLE, "freed");
  CHECK_OK(fjord_result_free(result));
  CHECK_OK(fjord_result_free(again));
  CHECK_OK(fjord_queue_free(queue));
}

static void test_time_slices(void) {
  fjord_queue queue = 0;
  fjord_result result = 8;
  fjord_queue_options options = FJORD_INIT(fjord_queue_options);
  int32_t more = 1;
  int slices = 0;
  unsigned char preview[64];
  options.time_slices = 1;
  CHECK_OK(fjord_queue_create(&options, &queue));
  CHECK_OK(fjord_queue_advance(queue, 1, &more));
  CHECK(more == 0);
  fjord_job job = submit(queue, "2", NULL), bad = submit(queue, "-2", NULL), cancelled = submit(queue, "2", NULL);
  CHECK(state_of(job) == FJORD_JOB_QUEUED);
  CHECK_FAILS(fjord_job_get_result(job, &result), FJORD_NOT_READY, "not ended");
  CHECK_FAILS(fjord_job_wait(job, 0), FJORD_NOT_READY, "not ended");
  CHECK_FAILS(fjord_job_wait(job, NAN), FJORD_INVALID_ARGUMENT, "milliseconds");
  CHECK_FAILS(fjord_job_copy_preview(job, preview, 64), FJORD_NOT_READY, "no preview");
  CHECK_OK(fjord_job_cancel(cancelled));
  for (more = 1; more != 0; ++slices) CHECK_OK(fjord_queue_advance(queue, 0, &more));
  CHECK(slices > 100);
  CHECK(state_of(job) == FJORD_JOB_DONE);
  CHECK(state_of(bad) == FJORD_JOB_FAILED);
  CHECK(state_of(cancelled) == FJORD_JOB_CANCELLED);
  CHECK_FAILS(fjord_job_get_result(bad, &result), FJORD_INVALID_ARGUMENT, "steps must be from 1 to 1000, got -2");
  CHECK_FAILS(fjord_job_get_result(cancelled, &result), FJORD_CANCELLED, "cancelled");
  CHECK(result == 8);
  CHECK_FAILS(fjord_queue_advance(queue, -1, &more), FJORD_INVALID_ARGUMENT, "milliseconds");
  CHECK_FAILS(fjord_queue_advance(queue, NAN, &more), FJORD_INVALID_ARGUMENT, "milliseconds");
  CHECK_OK(fjord_job_free(job));
  CHECK_OK(fjord_job_free(bad));
  CHECK_OK(fjord_job_free(cancelled));
  CHECK_OK(fjord_queue_free(queue));
}

/* A job that is freed, and a queue that is freed, while it runs. */
static void test_free_while_running(void) {
  fjord_queue queue = 0;
  CHECK_OK(fjord_queue_create(NULL, &queue));
  CHECK_OK(fjord_job_free(submit(queue, "900", NULL)));
  fjord_job job = submit(queue, "900", NULL);
  CHECK_OK(fjord_queue_free(queue));
  CHECK_FAILS(fjord_queue_free(queue), FJORD_BAD_HANDLE, "freed");
  CHECK(state_of(job) == FJORD_JOB_CANCELLED);
  CHECK_OK(fjord_job_free(job));
}

static void test_packed(void) {
  enum { kJobs = 4 };
  fjord_queue_options options = FJORD_INIT(fjord_queue_options);
  fjord_queue queue = 0;
  fjord_job jobs[kJobs];
  options.max_packed = kJobs;
  CHECK_OK(fjord_queue_create(&options, &queue));
  for (int i = 0; i < kJobs; ++i) jobs[i] = submit(queue, i % 2 == 0 ? "3" : "2", NULL);
  CHECK_OK(fjord_job_cancel(jobs[1]));
  for (int i = 0; i < kJobs; ++i) {
    CHECK_OK(fjord_job_wait(jobs[i], -1));
    CHECK(state_of(jobs[i]) == FJORD_JOB_DONE || i == 1);
    CHECK_OK(fjord_job_free(jobs[i]));
  }
  CHECK_OK(fjord_queue_free(queue));
}

static void test_refused_options(void) {
  fjord_queue queue = 6;
  fjord_job job = 6;
  fjord_queue_options options = FJORD_INIT(fjord_queue_options);
  fjord_job_options job_options = FJORD_INIT(fjord_job_options);
  fjord_request request = small_request();
  options.workers = 65;
  CHECK_FAILS(fjord_queue_create(&options, &queue), FJORD_INVALID_ARGUMENT, "workers must be from 0 to 64, got 65");
  options.workers = 1;
  options.time_slices = 1;
  CHECK_FAILS(fjord_queue_create(&options, &queue), FJORD_INVALID_ARGUMENT, "workers must be 0 with time_slices");
  options.time_slices = 0;
  options.max_packed = -1;
  CHECK_FAILS(fjord_queue_create(&options, &queue), FJORD_INVALID_ARGUMENT, "max_packed");
  options.max_packed = 0;
  options.threads = 5000;
  CHECK_FAILS(fjord_queue_create(&options, &queue), FJORD_INVALID_ARGUMENT, "threads");
  CHECK_FAILS(fjord_queue_create(NULL, NULL), FJORD_INVALID_ARGUMENT, "out must not be NULL");
  CHECK(queue == 6);
  CHECK_OK(fjord_queue_create(NULL, &queue));
  job_options.preview_every = -1;
  CHECK_FAILS(fjord_queue_submit(queue, tiny_model(), request, &job_options, &job), FJORD_INVALID_ARGUMENT, "preview");
  CHECK_FAILS(fjord_queue_submit(queue, request, request, NULL, &job), FJORD_BAD_HANDLE, "got a request");
  CHECK_FAILS(fjord_queue_submit(queue, tiny_model(), queue, NULL, &job), FJORD_BAD_HANDLE, "got a queue");
  CHECK_FAILS(fjord_queue_submit(queue, tiny_model(), request, NULL, NULL), FJORD_INVALID_ARGUMENT, "out must not");
  CHECK_FAILS(fjord_queue_advance(queue, 1, NULL), FJORD_INVALID_ARGUMENT, "without workers");
  CHECK(job == 6);
  CHECK_OK(fjord_request_free(request));
  CHECK_OK(fjord_queue_free(queue));
}

void test_jobs(void) {
  test_a_job();
  test_time_slices();
  test_free_while_running();
  test_packed();
  test_refused_options();
  CHECK_SAME_PICTURE();
}
