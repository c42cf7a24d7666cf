/* The C interface from plain C: every fault gives its code and sentence, and the next picture is the same. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

void check_true(int condition, const char* text, const char* file, int line) {
  if (condition) return;
  ++failures;
  printf("%s:%d: failed: %s\n", file, line, text);
}

void check_status(fjord_status got, fjord_status wanted, const char* part, const char* text, const char* file,
                  int line) {
  const char* message = fjord_last_error();
  const int told =
      got == FJORD_OK || (message[0] != '\0' && strstr(message, part) != NULL && strchr(message, '\n') == NULL);
  if (got == wanted && told) return;
  ++failures;
  printf("%s:%d: %s gave %s (\"%s\"), expected %s with \"%s\"\n", file, line, text, fjord_status_name(got), message,
         fjord_status_name(wanted), part);
}

fjord_pipeline tiny_model(void) {
  static fjord_pipeline pipeline = 0;
  if (pipeline == 0) {
    fjord_load_options options = FJORD_INIT(fjord_load_options);
    options.threads = 1;
    CHECK_OK(fjord_pipeline_load(FJORD_SOURCE_DIR "/weights/tiny", &options, &pipeline));
  }
  return pipeline;
}

fjord_request small_request(void) {
  fjord_request_options options = FJORD_INIT(fjord_request_options);
  fjord_request request = 0;
  options.prompt = "a gold crown on red cloth";
  options.width = options.height = 32;
  options.steps = 2;
  options.seed = 7;
  CHECK_OK(fjord_request_create(&options, &request));
  return request;
}

void check_same_picture(const char* file, int line) {
  enum { kBytes = 32 * 32 * 3 };
  static unsigned char first[kBytes], now[kBytes];
  static int known = 0;
  fjord_request request = small_request();
  fjord_result result = 0;
  CHECK_OK(fjord_generate(tiny_model(), request, NULL, NULL, &result));
  CHECK_OK(fjord_result_copy_image(result, 0, FJORD_RGB8, known ? now : first, kBytes));
  if (known) check_true(memcmp(first, now, kBytes) == 0, "the picture is the same", file, line);
  known = 1;
  CHECK_OK(fjord_result_free(result));
  CHECK_OK(fjord_request_free(request));
}

static void test_library(void) {
  CHECK(fjord_version()[0] != '\0');
  CHECK(fjord_has_feature("jobs") == 1);
  CHECK(fjord_has_feature("telepathy") == 0);
  CHECK(fjord_has_feature(NULL) == 0);
  CHECK(strcmp(fjord_status_name(FJORD_BAD_HANDLE), "bad_handle") == 0);
  CHECK(strcmp(fjord_status_name(-1), "unknown") == 0);
  CHECK(strcmp(fjord_status_name(99), "unknown") == 0);
}

int main(int argc, char** argv) {
  test_library();
  CHECK_SAME_PICTURE();
  test_parameters();
  test_handles();
  test_results();
  test_loading(argc > 1 ? argv[1] : ".");
  test_adapters(argc > 1 ? argv[1] : ".");
  test_plan();
  test_jobs();
  test_callbacks();
  CHECK_OK(fjord_pipeline_free(tiny_model()));
  printf("%d failures\n", failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
