/* Handles that are freed, foreign, of another kind or of another process (group P11, C11, C16). */
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

static void test_wrong_handles(void) {
  const uint64_t wrong[] = {0, 1, 0xffffffffffffffffu, 0x0100000000000001u, 0x7f00000100000001u};
  fjord_request request = small_request();
  fjord_pipeline_info info = FJORD_INIT(fjord_pipeline_info);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
    fjord_result result = 5;
    CHECK_FAILS(fjord_pipeline_get_info(wrong[i], &info), FJORD_BAD_HANDLE, "expected the handle of a pipeline");
    CHECK_FAILS(fjord_generate(wrong[i], request, NULL, NULL, &result), FJORD_BAD_HANDLE, "pipeline");
    CHECK_FAILS(fjord_generate(tiny_model(), wrong[i], NULL, NULL, &result), FJORD_BAD_HANDLE, "request");
    CHECK(result == 5);
    CHECK_FAILS(fjord_pipeline_free(wrong[i]), FJORD_BAD_HANDLE, "pipeline");
    CHECK_FAILS(fjord_request_free(wrong[i]), FJORD_BAD_HANDLE, "request");
    CHECK_FAILS(fjord_result_free(wrong[i]), FJORD_BAD_HANDLE, "result");
    CHECK_FAILS(fjord_embeddings_free(wrong[i]), FJORD_BAD_HANDLE, "embeddings");
    CHECK_FAILS(fjord_queue_free(wrong[i]), FJORD_BAD_HANDLE, "queue");
    CHECK_FAILS(fjord_job_free(wrong[i]), FJORD_BAD_HANDLE, "job");
    CHECK_FAILS(fjord_adapter_free(wrong[i]), FJORD_BAD_HANDLE, "adapter");
    CHECK_FAILS(fjord_request_add_adapter(request, wrong[i], 1, 1), FJORD_BAD_HANDLE, "adapter");
    CHECK_FAILS(fjord_job_cancel(wrong[i]), FJORD_BAD_HANDLE, "job");
    CHECK_FAILS(fjord_request_set_embeddings(request, wrong[i]), FJORD_BAD_HANDLE, "embeddings");
  }
  CHECK_FAILS(fjord_pipeline_free(request), FJORD_BAD_HANDLE, "expected the handle of a pipeline, got a request");
  CHECK_OK(fjord_request_free(request));
  CHECK_FAILS(fjord_request_free(request), FJORD_BAD_HANDLE, "freed");
  CHECK_FAILS(fjord_request_set(request, "steps", "2"), FJORD_BAD_HANDLE, "freed");
}

static void test_reused_slots(void) {
  const fjord_request stale = small_request();
  CHECK_OK(fjord_request_free(stale));
  for (int i = 0; i < 100000; ++i) {
    fjord_request request = 0;
    if (fjord_request_create(NULL, &request) != FJORD_OK || request == stale || request == 0) CHECK(!"a new handle");
    if (fjord_request_free(stale) != FJORD_BAD_HANDLE) CHECK(!"a stale handle is known");
    if (fjord_request_free(request) != FJORD_OK) CHECK(!"a handle can be freed");
  }
}

static void test_fork(void) {
  const fjord_pipeline pipeline = tiny_model();
  const pid_t child = fork();
  if (child == 0) {
    fjord_pipeline_info info = FJORD_INIT(fjord_pipeline_info);
    _exit(fjord_pipeline_get_info(pipeline, &info) == FJORD_BAD_HANDLE ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_use_outlives_the_handle(void) {
  fjord_pipeline pipeline = 0;
  fjord_queue queue = 0;
  fjord_job job = 0;
  fjord_result result = 0;
  fjord_request request = small_request();
  CHECK_OK(fjord_pipeline_load(FJORD_SOURCE_DIR "/weights/tiny", NULL, &pipeline));
  CHECK_OK(fjord_queue_create(NULL, &queue));
  CHECK_OK(fjord_queue_submit(queue, pipeline, request, NULL, &job));
  CHECK_OK(fjord_pipeline_free(pipeline));
  CHECK_OK(fjord_request_free(request));
  CHECK_OK(fjord_job_wait(job, -1));
  CHECK_OK(fjord_queue_free(queue));
  CHECK_OK(fjord_job_get_result(job, &result));
  CHECK_OK(fjord_job_free(job));
  CHECK_OK(fjord_result_free(result));
}

void test_handles(void) {
  test_wrong_handles();
  test_reused_slots();
  test_fork();
  test_use_outlives_the_handle();
  CHECK_SAME_PICTURE();
}
