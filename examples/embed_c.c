/* The C interface in one page: a job in the background while the host does something else, and a PNG file at the end.
 *   embed_c MODEL_FOLDER PROMPT OUT.png */
#include <fjord/c.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

/* A host would draw a frame here. */
static void draw_frame(const fjord_job_status* status) {
  const struct timespec frame = {0, 16000000};
  nanosleep(&frame, NULL);
  fprintf(stderr, "\rstep %d of %d", (int)status->step, (int)status->steps);
}

static int fail(const char* what, fjord_status status) {
  fprintf(stderr, "\nembed_c: %s: %s (%s)\n", what, fjord_last_error(), fjord_status_name(status));
  return 1;
}

int main(int argc, char** argv) {
  fjord_pipeline pipeline = 0;
  fjord_request request = 0;
  fjord_queue queue = 0;
  fjord_job job = 0;
  fjord_result result = 0;
  fjord_request_options wish = FJORD_INIT(fjord_request_options);
  fjord_queue_options how = FJORD_INIT(fjord_queue_options);
  fjord_job_status status = FJORD_INIT(fjord_job_status);
  fjord_status failed;
  if (argc != 4) {
    fprintf(stderr, "usage: embed_c MODEL_FOLDER PROMPT OUT.png\n");
    return 64;
  }
  wish.prompt = argv[2];
  wish.seed = 1;
  how.background = 1;
  if ((failed = fjord_pipeline_load(argv[1], NULL, &pipeline)) != FJORD_OK) return fail("load", failed);
  if ((failed = fjord_request_create(&wish, &request)) != FJORD_OK) return fail("request", failed);
  if ((failed = fjord_queue_create(&how, &queue)) != FJORD_OK) return fail("queue", failed);
  if ((failed = fjord_queue_submit(queue, pipeline, request, NULL, &job)) != FJORD_OK) return fail("submit", failed);
  do {
    if ((failed = fjord_job_poll(job, &status)) != FJORD_OK) return fail("poll", failed);
    draw_frame(&status);
  } while (status.state == FJORD_JOB_QUEUED || status.state == FJORD_JOB_RUNNING);
  if ((failed = fjord_job_get_result(job, &result)) != FJORD_OK) return fail("generate", failed);
  if ((failed = fjord_result_write_png(result, 0, argv[3])) != FJORD_OK) return fail("write", failed);
  fprintf(stderr, "\nThe picture is %s.\n", argv[3]);
  fjord_result_free(result);
  fjord_job_free(job);
  fjord_queue_free(queue);
  fjord_request_free(request);
  fjord_pipeline_free(pipeline);
  return 0;
}
