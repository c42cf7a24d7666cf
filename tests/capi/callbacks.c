/* Callbacks that cancel, free, wait and block (groups P13 and C). */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct seen {
  fjord_queue queue;
  int progress, ends;
  int last_step;
  int in_order;
  fjord_status end_status;
};

static void on_progress(void* user, fjord_job job, const fjord_progress* progress) {
  struct seen* seen = user;
  fjord_job_status status = FJORD_INIT(fjord_job_status);
  CHECK(progress->struct_size == sizeof *progress);
  CHECK_OK(fjord_job_poll(job, &status));
  CHECK(status.state == FJORD_JOB_RUNNING);
  seen->in_order = seen->in_order && progress->step >= seen->last_step;
  seen->last_step = progress->step;
  ++seen->progress;
}

static void on_end(void* user, fjord_job job, fjord_status status) {
  struct seen* seen = user;
  fjord_result result = 0;
  ++seen->ends;
  seen->end_status = status;
  if (status == FJORD_OK) {
    CHECK_OK(fjord_job_get_result(job, &result));
    CHECK_OK(fjord_result_free(result));
  }
}

static void misbehave(void* user, fjord_job job, const fjord_progress* progress) {
  struct seen* seen = user;
  const struct timespec pause = {0, 20000000};
  int32_t more = 0;
  (void)progress;
  CHECK_FAILS(fjord_job_free(job), FJORD_BUSY, "callback");
  CHECK_FAILS(fjord_job_wait(job, -1), FJORD_BUSY, "callback");
  CHECK_FAILS(fjord_queue_free(seen->queue), FJORD_BUSY, "callback");
  CHECK_FAILS(fjord_queue_advance(seen->queue, 1, &more), FJORD_BUSY, "callback");
  nanosleep(&pause, NULL);
  if (++seen->progress == 2) CHECK_OK(fjord_job_cancel(job));
}

static void run(struct seen* seen, fjord_job_progress_fn progress, const char* steps) {
  fjord_job_options options = FJORD_INIT(fjord_job_options);
  fjord_request request = small_request();
  fjord_job job = 0;
  memset(seen, 0, sizeof *seen);
  seen->in_order = 1;
  options.on_progress = progress;
  options.on_end = on_end;
  options.user = seen;
  CHECK_OK(fjord_queue_create(NULL, &seen->queue));
  CHECK_OK(fjord_request_set(request, "steps", steps));
  CHECK_OK(fjord_queue_submit(seen->queue, tiny_model(), request, &options, &job));
  CHECK_OK(fjord_job_wait(job, -1));
  CHECK(seen->ends == 1);
  CHECK_OK(fjord_job_free(job));
  CHECK_OK(fjord_request_free(request));
  CHECK_OK(fjord_queue_free(seen->queue));
}

/* Cancels at random moments: whatever comes of it, the handles stay right and the next picture the same. */
static void test_random_cancels(int count) {
  fjord_queue_options options = FJORD_INIT(fjord_queue_options);
  fjord_queue queue = 0;
  options.max_packed = 2;
  CHECK_OK(fjord_queue_create(&options, &queue));
  srand(3);
  for (int i = 0; i < count; ++i) {
    const struct timespec pause = {0, rand() % 20000000};
    fjord_request request = small_request();
    fjord_job job = 0;
    CHECK_OK(fjord_queue_submit(queue, tiny_model(), request, NULL, &job));
    nanosleep(&pause, NULL);
    CHECK_OK(fjord_job_cancel(job));
    if (i % 2 == 0) CHECK_OK(fjord_job_wait(job, -1));
    CHECK_OK(fjord_job_free(job));
    CHECK_OK(fjord_request_free(request));
  }
  CHECK_OK(fjord_queue_free(queue));
}

static void test_create_and_destroy(int count) {
  for (int i = 0; i < count; ++i) {
    fjord_pipeline pipeline = 0;
    fjord_queue queue = 0;
    fjord_job job = 0;
    fjord_request request = small_request();
    CHECK_OK(fjord_pipeline_load(FJORD_SOURCE_DIR "/weights/tiny", NULL, &pipeline));
    CHECK_OK(fjord_queue_create(NULL, &queue));
    CHECK_OK(fjord_queue_submit(queue, pipeline, request, NULL, &job));
    CHECK_OK(fjord_request_free(request));
    CHECK_OK(fjord_queue_free(queue));
    CHECK_OK(fjord_pipeline_free(pipeline));
    CHECK_OK(fjord_job_free(job));
  }
}

/* FJORD_STRESS=25 makes the counts 25 times as large; the test run has 40 cancels and 8 cycles. */
static int times(int count) {
  const char* factor = getenv("FJORD_STRESS");
  return factor == NULL ? count : count * atoi(factor);
}

void test_callbacks(void) {
  struct seen seen;
  run(&seen, on_progress, "3");
  CHECK(seen.progress == 4 && seen.in_order && seen.end_status == FJORD_OK);
  run(&seen, NULL, "-3");
  CHECK(seen.end_status == FJORD_INVALID_ARGUMENT);
  run(&seen, misbehave, "900");
  CHECK(seen.progress == 2 && seen.end_status == FJORD_CANCELLED);
  test_random_cancels(times(40));
  CHECK_SAME_PICTURE();
  test_create_and_destroy(times(8));
  CHECK_SAME_PICTURE();
}
