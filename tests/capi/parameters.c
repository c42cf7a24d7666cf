/* Parameters out of range, of the wrong kind, or absent (group P). */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static fjord_status generate(fjord_request request) {
  fjord_result result = 1234;
  const fjord_status status = fjord_generate(tiny_model(), request, NULL, NULL, &result);
  if (status == FJORD_OK) {
    CHECK_OK(fjord_result_free(result));
  } else {
    CHECK(result == 1234);
  }
  return status;
}

struct field_case {
  const char* name;
  const char* value;
  fjord_status status;
  const char* part;
};

/* What fjord_request_set takes, and generate refuses. */
static const struct field_case kRefused[] = {
    {"width", "7", FJORD_INVALID_ARGUMENT, "width must be a multiple of 8"},
    {"width", "63", FJORD_INVALID_ARGUMENT, "got 63"},
    {"height", "-8", FJORD_INVALID_ARGUMENT, "height must be a multiple of 8"},
    {"height", "2147483640", FJORD_INVALID_ARGUMENT, "height must be"},
    {"steps", "-1", FJORD_INVALID_ARGUMENT, "steps must be from 1 to 1000, got -1"},
    {"steps", "1000000", FJORD_INVALID_ARGUMENT, "steps must be from 1 to 1000"},
    {"guidance", "nan", FJORD_INVALID_ARGUMENT, "guidance must be"},
    {"guidance", "inf", FJORD_INVALID_ARGUMENT, "guidance must be"},
    {"guidance", "-1", FJORD_INVALID_ARGUMENT, "guidance must be"},
    {"guidance", "1e38", FJORD_INVALID_ARGUMENT, "guidance must be"},
    {"images", "0", FJORD_INVALID_ARGUMENT, "images must be"},
    {"images", "1000000", FJORD_INVALID_ARGUMENT, "images must be"},
    {"guidance_rescale", "1.5", FJORD_INVALID_ARGUMENT, "guidance_rescale must be"},
    {"scheduler", "NoScheduler", FJORD_UNSUPPORTED, "DDIMScheduler"},
    {"scheduler", "ddimscheduler", FJORD_UNSUPPORTED, "DDIMScheduler"},
    {"timesteps", "900,nan", FJORD_INVALID_ARGUMENT, "timesteps must be finite"},
    {"timesteps", "100,900", FJORD_INVALID_ARGUMENT, "timesteps"},
    {"scheduler_options.no_such", "1", FJORD_INVALID_ARGUMENT, "no_such"},
    {"scheduler_options.eta", "nan", FJORD_INVALID_ARGUMENT, "eta"},
    {"approximation.merge_ratio", "1", FJORD_INVALID_ARGUMENT, "merge_ratio must be"},
    {"prompt", "a \xff b", FJORD_INVALID_ARGUMENT, "UTF-8"},
};

/* What fjord_request_set refuses. */
static const struct field_case kUnknown[] = {
    {"colour", "red", FJORD_NOT_FOUND, "no field \"colour\""},
    {"", "1", FJORD_NOT_FOUND, "no field"},
    {"steps", "many", FJORD_INVALID_ARGUMENT, "\"steps\" must be integer, got \"many\""},
    {"steps", "1.5", FJORD_INVALID_ARGUMENT, "must be integer"},
    {"steps", "", FJORD_INVALID_ARGUMENT, "must be integer"},
    {"steps", "99999999999", FJORD_INVALID_ARGUMENT, "must be integer"},
    {"seed", "-1", FJORD_INVALID_ARGUMENT, "\"seed\" must be integer"},
    {"seed", "18446744073709551616", FJORD_INVALID_ARGUMENT, "must be integer"},
    {"guidance", "4 ", FJORD_INVALID_ARGUMENT, "\"guidance\" must be number"},
    {"vae_tiling", "yes", FJORD_INVALID_ARGUMENT, "\"vae_tiling\" must be boolean"},
    {"timesteps", "900,,1", FJORD_INVALID_ARGUMENT, "\"timesteps\" must be numbers"},
    {"timesteps", "900,", FJORD_INVALID_ARGUMENT, "\"timesteps\" must be numbers"},
};

static void test_fields(void) {
  for (size_t i = 0; i < sizeof kRefused / sizeof kRefused[0]; ++i) {
    fjord_request request = small_request();
    CHECK_OK(fjord_request_set(request, kRefused[i].name, kRefused[i].value));
    CHECK_FAILS(generate(request), kRefused[i].status, kRefused[i].part);
    CHECK_OK(fjord_request_free(request));
  }
  fjord_request request = small_request();
  for (size_t i = 0; i < sizeof kUnknown / sizeof kUnknown[0]; ++i) {
    CHECK_FAILS(fjord_request_set(request, kUnknown[i].name, kUnknown[i].value), kUnknown[i].status, kUnknown[i].part);
  }
  CHECK_FAILS(fjord_request_set(request, NULL, "1"), FJORD_INVALID_ARGUMENT, "name must not be NULL");
  CHECK_FAILS(fjord_request_set(request, "steps", NULL), FJORD_INVALID_ARGUMENT, "value must not be NULL");
  CHECK_OK(fjord_request_set(request, "seed", "18446744073709551615"));
  CHECK_OK(fjord_request_set(request, "scheduler", "DDPMScheduler"));
  CHECK_OK(fjord_request_set(request, "steps", "1"));
  CHECK_OK(generate(request));
  CHECK_OK(fjord_request_free(request));
  CHECK(strstr(fjord_request_fields(), "approximation.cache_interval integer\n") != NULL);
  CHECK(strstr(fjord_request_fields(), "vae_tiling boolean\n") != NULL);
}

static void test_arrays(void) {
  const float values[64] = {0};
  float bad[64] = {0};
  const int64_t shape[4] = {1, 4, 4, 4}, small[4] = {1, 4, 2, 2}, negative[4] = {1, -4, 4, 4};
  const int64_t huge[4] = {1 << 30, 1 << 30, 1 << 30, 1 << 30};
  fjord_request request = small_request();
  CHECK_OK(fjord_request_set_array(request, "latents", values, shape, 4));
  CHECK_OK(generate(request));
  CHECK_OK(fjord_request_set_array(request, "latents", values, small, 4));
  CHECK_FAILS(generate(request), FJORD_INVALID_ARGUMENT, "latents must be");
  bad[3] = (float)NAN;
  CHECK_OK(fjord_request_set_array(request, "latents", bad, shape, 4));
  CHECK_FAILS(generate(request), FJORD_INVALID_ARGUMENT, "latents must be finite");
  CHECK_FAILS(fjord_request_set_array(request, "latents", values, negative, 4), FJORD_INVALID_ARGUMENT, "shape");
  CHECK_FAILS(fjord_request_set_array(request, "latents", values, huge, 4), FJORD_INVALID_ARGUMENT, "shape");
  CHECK_FAILS(fjord_request_set_array(request, "latents", NULL, shape, 4), FJORD_INVALID_ARGUMENT, "values must not");
  CHECK_FAILS(fjord_request_set_array(request, "latents", values, NULL, 4), FJORD_INVALID_ARGUMENT, "shape must not");
  CHECK_FAILS(fjord_request_set_array(request, "latents", values, shape, 99), FJORD_INVALID_ARGUMENT, "dimensions");
  CHECK_FAILS(fjord_request_set_array(request, "steps", values, shape, 4), FJORD_NOT_FOUND, "no array \"steps\"");
  CHECK_OK(fjord_request_set_array(request, "latents", NULL, NULL, 0));
  CHECK_OK(generate(request));
  CHECK_OK(fjord_request_free(request));
}

static void test_images(void) {
  unsigned char picture[16 * 16 * 3];
  fjord_request request = small_request();
  memset(picture, 120, sizeof picture);
  CHECK_OK(fjord_request_set_image(request, "image_input.images", picture, 16, 16, 3));
  CHECK_OK(fjord_request_set(request, "image_input.strength", "0.5"));
  CHECK_OK(generate(request));
  CHECK_OK(fjord_request_set(request, "image_input.strength", "1.5"));
  CHECK_FAILS(generate(request), FJORD_INVALID_ARGUMENT, "strength must be");
  CHECK_OK(fjord_request_set(request, "image_input.strength", "nan"));
  CHECK_FAILS(generate(request), FJORD_INVALID_ARGUMENT, "strength must be");
  CHECK_OK(fjord_request_set(request, "image_input.strength", "0.5"));
  CHECK_OK(fjord_request_set_image(request, "image_input.inpaint.mask", picture, 16, 16, 1));
  CHECK_OK(fjord_request_set(request, "image_input.inpaint.region", "native"));
  CHECK_FAILS(fjord_request_set(request, "image_input.fit", "big"), FJORD_INVALID_ARGUMENT, "one of stretch|crop|fill");
  CHECK_FAILS(fjord_request_set_image(request, "image_input.images", picture, 16, 16, 4), FJORD_INVALID_ARGUMENT,
              "must have 3 channels, got 4");
  CHECK_FAILS(fjord_request_set_image(request, "image_input.images", picture, 0, 16, 3), FJORD_INVALID_ARGUMENT,
              "0x16");
  CHECK_FAILS(fjord_request_set_image(request, "image_input.images", picture, 1 << 30, 1 << 30, 3),
              FJORD_INVALID_ARGUMENT, "8192 pixels");
  CHECK_FAILS(fjord_request_set_image(request, "latents", picture, 16, 16, 3), FJORD_NOT_FOUND, "no picture");
  CHECK_OK(fjord_request_set_image(request, "image_input.images", NULL, 0, 0, 0));
  CHECK_OK(fjord_request_set_image(request, "image_input.inpaint.mask", NULL, 0, 0, 0));
  CHECK_OK(fjord_request_set(request, "image_input.inpaint.region", "whole"));
  CHECK_OK(fjord_request_set(request, "seamless.x", "true"));
  CHECK_OK(generate(request));
  CHECK_OK(fjord_request_free(request));
}

/* A struct of a header that is newer than the library. */
struct newer_options {
  fjord_request_options known;
  int64_t more;
};

static void test_struct_sizes(void) {
  struct newer_options newer;
  fjord_request request = 77;
  fjord_request_options options = FJORD_INIT(fjord_request_options);
  options.width = 7;
  options.struct_size = 8; /* an older one: it ends before width, which is then the default */
  CHECK_OK(fjord_request_create(&options, &request));
  CHECK_OK(fjord_request_free(request));
  request = 77;
  memset(&newer, 0, sizeof newer);
  newer.known.struct_size = sizeof newer;
  CHECK_OK(fjord_request_create(&newer.known, &request));
  CHECK_OK(fjord_request_free(request));
  request = 77;
  newer.more = 1;
  CHECK_FAILS(fjord_request_create(&newer.known, &request), FJORD_INVALID_ARGUMENT, "newer version");
  for (uint32_t size = 0; size < 8; ++size) {
    options.struct_size = size;
    CHECK_FAILS(fjord_request_create(&options, &request), FJORD_INVALID_ARGUMENT, "struct_size");
  }
  options.struct_size = 0xffffffffu;
  CHECK_FAILS(fjord_request_create(&options, &request), FJORD_INVALID_ARGUMENT, "struct_size");
  CHECK(request == 77);
  CHECK_FAILS(fjord_request_create(NULL, NULL), FJORD_INVALID_ARGUMENT, "out must not be NULL");
  CHECK_OK(fjord_request_create(NULL, &request));
  CHECK_OK(fjord_request_free(request));
}

static void test_long_text(void) {
  const size_t size = (size_t)2 << 20;
  char* text = malloc(size + 1);
  fjord_request request = small_request();
  memset(text, 'a', size);
  text[size] = '\0';
  CHECK_FAILS(fjord_request_set(request, "prompt", text), FJORD_INVALID_ARGUMENT, "1048576");
  text[1 << 20] = '\0';
  CHECK_OK(fjord_request_set(request, "prompt", text));
  CHECK_FAILS(generate(request), FJORD_INVALID_ARGUMENT, "65536");
  CHECK_OK(fjord_request_set(request, "prompt", ""));
  CHECK_OK(generate(request));
  CHECK_OK(fjord_request_free(request));
  free(text);
}

void test_parameters(void) {
  test_fields();
  test_arrays();
  test_images();
  test_struct_sizes();
  test_long_text();
  CHECK_SAME_PICTURE();
}
