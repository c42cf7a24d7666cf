/* What a user's first program in C looks like: consumer MODEL_FOLDER. */
#include <fjord/c.h>

#include <stdio.h>

int main(int argc, char** argv) {
  static unsigned char pixels[64 * 64 * 3];
  fjord_pipeline pipeline = 0;
  fjord_request request = 0;
  fjord_result result = 0;
  fjord_request_options options = FJORD_INIT(fjord_request_options);
  if (argc != 2) return 64;
  options.prompt = "a gold crown on red cloth";
  options.width = options.height = 64;
  options.steps = 1;
  if (fjord_pipeline_load(argv[1], NULL, &pipeline) != FJORD_OK ||
      fjord_request_create(&options, &request) != FJORD_OK ||
      fjord_generate(pipeline, request, NULL, NULL, &result) != FJORD_OK ||
      fjord_result_copy_image(result, 0, FJORD_RGB8, pixels, sizeof pixels) != FJORD_OK) {
    fprintf(stderr, "%s\n", fjord_last_error());
    return 1;
  }
  printf("%s %u\n", fjord_version(), (unsigned)sizeof pixels);
  return 0;
}
