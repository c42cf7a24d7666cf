/* What comes out of a result, and room that is too small for it. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kPixels = 32 * 32 };

static void test_formats(fjord_result result) {
  static unsigned char rgb[kPixels * 3], rgba[kPixels * 4];
  static float floats[kPixels * 4];
  CHECK_OK(fjord_result_copy_image(result, 0, FJORD_RGB8, rgb, sizeof rgb));
  CHECK_OK(fjord_result_copy_image(result, 0, FJORD_RGBA8, rgba, sizeof rgba));
  int equal = 1, opaque = 1;
  for (int i = 0; i < kPixels; ++i) {
    equal = equal && memcmp(rgb + i * 3, rgba + i * 4, 3) == 0;
    opaque = opaque && rgba[i * 4 + 3] == 255;
  }
  CHECK(equal && opaque);
  CHECK_OK(fjord_result_copy_image(result, 0, FJORD_RGB_FLOAT, floats, sizeof floats));
  CHECK(floats[5] == (float)rgb[5] / 255.0f);
  CHECK_OK(fjord_result_copy_image(result, 0, FJORD_RGBA_FLOAT, floats, sizeof floats));
  CHECK(floats[3] == 1.0f);
  rgb[0] = 1;
  CHECK_FAILS(fjord_result_copy_image(result, 0, FJORD_RGB8, rgb, sizeof rgb - 1), FJORD_INVALID_ARGUMENT,
              "3072 bytes");
  CHECK_FAILS(fjord_result_copy_image(result, 1, FJORD_RGB8, rgb, sizeof rgb), FJORD_INVALID_ARGUMENT,
              "below 1, got 1");
  CHECK_FAILS(fjord_result_copy_image(result, -1, FJORD_RGB8, rgb, sizeof rgb), FJORD_INVALID_ARGUMENT, "index");
  CHECK_FAILS(fjord_result_copy_image(result, 0, 9, rgb, sizeof rgb), FJORD_INVALID_ARGUMENT, "format");
  CHECK_FAILS(fjord_result_copy_image(result, 0, FJORD_RGB8, NULL, sizeof rgb), FJORD_INVALID_ARGUMENT, "NULL");
  CHECK(rgb[0] == 1);
}

static void test_latents(fjord_result result) {
  int64_t shape[4] = {0, 0, 0, 0};
  float values[64];
  CHECK_OK(fjord_result_copy_latents(result, shape, NULL, 0));
  CHECK(shape[0] == 1 && shape[1] == 4 && shape[2] == 4 && shape[3] == 4);
  CHECK_OK(fjord_result_copy_latents(result, shape, values, 64));
  CHECK_FAILS(fjord_result_copy_latents(result, shape, values, 63), FJORD_INVALID_ARGUMENT, "bytes of room");
  CHECK_FAILS(fjord_result_copy_latents(result, NULL, values, 64), FJORD_INVALID_ARGUMENT, "shape must not be NULL");
}

static void test_info(fjord_result result) {
  fjord_result_info info = FJORD_INIT(fjord_result_info);
  fjord_result_info older;
  CHECK_OK(fjord_result_get_info(result, &info));
  CHECK(info.images == 1 && info.width == 32 && info.height == 32 && info.seed == 7 && info.seconds > 0);
  memset(&older, 0x55, sizeof older);
  older.struct_size = 8; /* up to `images` */
  CHECK_OK(fjord_result_get_info(result, &older));
  CHECK(older.images == 1 && older.width == 0x55555555);
  info.struct_size = 0;
  CHECK_FAILS(fjord_result_get_info(result, &info), FJORD_INVALID_ARGUMENT, "struct_size");
  CHECK_FAILS(fjord_result_get_info(result, NULL), FJORD_INVALID_ARGUMENT, "out must not be NULL");
}

static void test_warnings(void) {
  char prompt[800] = "";
  const char* warning = NULL;
  fjord_result result = 0;
  fjord_request request = small_request();
  for (int i = 0; i < 100; ++i) strcat(prompt, "red ");
  CHECK_OK(fjord_request_set(request, "prompt", prompt));
  CHECK_OK(fjord_generate(tiny_model(), request, NULL, NULL, &result));
  CHECK_OK(fjord_result_warning(result, 0, &warning));
  CHECK(warning != NULL && strstr(warning, "77") != NULL);
  CHECK_FAILS(fjord_result_warning(result, 1, &warning), FJORD_INVALID_ARGUMENT, "below 1");
  CHECK_OK(fjord_result_free(result));
  CHECK_OK(fjord_request_free(request));
}

static int32_t cancel_at_once(void* user, const fjord_progress* progress) {
  ++*(int*)user;
  return progress->step >= 1;
}

void test_results(void) {
  fjord_request request = small_request();
  fjord_result result = 0;
  int calls = 0;
  fjord_pipeline_info info = FJORD_INIT(fjord_pipeline_info);
  CHECK_OK(fjord_pipeline_get_info(tiny_model(), &info));
  CHECK(info.width == 128 && info.steps == 25 && strcmp(info.device, "cpu") == 0);
  CHECK_FAILS(fjord_generate(tiny_model(), request, cancel_at_once, &calls, &result), FJORD_CANCELLED, "cancelled");
  CHECK(calls == 2 && result == 0);
  CHECK_FAILS(fjord_generate(tiny_model(), request, NULL, NULL, NULL), FJORD_INVALID_ARGUMENT, "out must not be NULL");
  CHECK_OK(fjord_generate(tiny_model(), request, NULL, NULL, &result));
  test_formats(result);
  test_latents(result);
  test_info(result);
  test_warnings();
  CHECK_FAILS(fjord_result_write_png(result, 0, "/no/such/folder/a.png"), FJORD_CANNOT_WRITE, "/no/such/folder");
  CHECK_FAILS(fjord_result_write_png(result, 0, NULL), FJORD_INVALID_ARGUMENT, "path must not be NULL");
  CHECK_OK(fjord_result_free(result));
  CHECK_OK(fjord_request_free(request));
}
