/* Adapters: a LoRA and a textual inversion that are written here, byte by byte. */
#include "check.h"

#include <stdio.h>
#include <string.h>

enum { kPicture = 32 * 32 * 3 };

/* A safetensors file of `count` floats that are all `value`. */
static void write_file(const char* path, const char* header, size_t count, float value) {
  const uint64_t size = strlen(header);
  FILE* stream = fopen(path, "wb");
  CHECK(stream != NULL);
  if (stream == NULL) return;
  CHECK(fwrite(&size, sizeof size, 1, stream) == 1);
  CHECK(fwrite(header, 1, size, stream) == size);
  for (size_t i = 0; i < count; ++i) CHECK(fwrite(&value, sizeof value, 1, stream) == 1);
  fclose(stream);
}

#define LAYER "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_v"

static void write_lora(const char* path) {
  write_file(path,
             "{\"" LAYER
             ".lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[1,96],\"data_offsets\":[0,384]},"
             "\"" LAYER ".lora_B.weight\":{\"dtype\":\"F32\",\"shape\":[96,1],\"data_offsets\":[384,768]}}",
             192, 0.5f);
}

static void make_picture(fjord_request request, unsigned char* pixels) {
  fjord_result result = 0;
  CHECK_OK(fjord_generate(tiny_model(), request, NULL, NULL, &result));
  CHECK_OK(fjord_result_copy_image(result, 0, FJORD_RGB8, pixels, kPicture));
  CHECK_OK(fjord_result_free(result));
}

static void test_lora(const char* folder) {
  static unsigned char plain[kPicture], adapted[kPicture], again[kPicture];
  char path[1024];
  fjord_adapter adapter = 0;
  fjord_request request = small_request();
  snprintf(path, sizeof path, "%s/lora.safetensors", folder);
  write_lora(path);
  CHECK_OK(fjord_adapter_load(tiny_model(), path, &adapter));
  make_picture(request, plain);
  CHECK_OK(fjord_request_add_adapter(request, adapter, 1.0, 1.0));
  CHECK_OK(fjord_adapter_free(adapter)); /* the request keeps it */
  make_picture(request, adapted);
  CHECK(memcmp(plain, adapted, kPicture) != 0);
  CHECK_OK(fjord_request_clear_adapters(request));
  make_picture(request, again);
  CHECK(memcmp(plain, again, kPicture) == 0);
  CHECK_FAILS(fjord_request_add_adapter(request, adapter, 1.0, 1.0), FJORD_BAD_HANDLE, "freed");
  CHECK_OK(fjord_request_free(request));
  remove(path);
}

static void test_strengths(const char* folder) {
  char path[1024];
  fjord_adapter adapter = 0;
  fjord_request request = small_request();
  fjord_result result = 4;
  snprintf(path, sizeof path, "%s/lora.safetensors", folder);
  write_lora(path);
  CHECK_OK(fjord_adapter_load(tiny_model(), path, &adapter));
  CHECK_OK(fjord_request_add_adapter(request, adapter, 101.0, 1.0));
  CHECK_FAILS(fjord_generate(tiny_model(), request, NULL, NULL, &result), FJORD_INVALID_ARGUMENT, "100");
  CHECK_OK(fjord_request_clear_adapters(request));
  for (int i = 0; i < 65; ++i) CHECK_OK(fjord_request_add_adapter(request, adapter, 0.0, 0.0));
  CHECK_FAILS(fjord_generate(tiny_model(), request, NULL, NULL, &result), FJORD_INVALID_ARGUMENT, "64");
  CHECK(result == 4);
  CHECK_OK(fjord_adapter_free(adapter));
  CHECK_OK(fjord_request_free(request));
  remove(path);
}

static void test_embedding(const char* folder) {
  static unsigned char plain[kPicture], adapted[kPicture];
  char path[1024];
  fjord_adapter adapter = 0;
  fjord_request request = small_request();
  snprintf(path, sizeof path, "%s/shiny.safetensors", folder);
  write_file(path, "{\"emb_params\":{\"dtype\":\"F32\",\"shape\":[1,128],\"data_offsets\":[0,512]}}", 128, 0.25f);
  CHECK_OK(fjord_adapter_load_embedding(tiny_model(), path, "<shiny>", &adapter));
  CHECK_OK(fjord_request_set(request, "prompt", "a <shiny> crown"));
  make_picture(request, plain);
  CHECK_OK(fjord_request_add_adapter(request, adapter, 1.0, 1.0));
  make_picture(request, adapted);
  CHECK(memcmp(plain, adapted, kPicture) != 0);
  CHECK_OK(fjord_adapter_free(adapter));
  CHECK_OK(fjord_request_free(request));
  remove(path);
}

static void test_faults(const char* folder) {
  char path[1024];
  fjord_adapter adapter = 9;
  snprintf(path, sizeof path, "%s/foreign.safetensors", folder);
  write_file(path, "{\"nothing.known\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 1, 1.0f);
  CHECK_FAILS(fjord_adapter_load(tiny_model(), path, &adapter), FJORD_BAD_FILE, "nothing.known");
  CHECK_FAILS(fjord_adapter_load(tiny_model(), "/no/such/file", &adapter), FJORD_NOT_FOUND, "/no/such/file");
  CHECK_FAILS(fjord_adapter_load(tiny_model(), NULL, &adapter), FJORD_INVALID_ARGUMENT, "path must not be NULL");
  CHECK_FAILS(fjord_adapter_load(tiny_model(), path, NULL), FJORD_INVALID_ARGUMENT, "out must not be NULL");
  CHECK_FAILS(fjord_adapter_load(0, path, &adapter), FJORD_BAD_HANDLE, "expected the handle of a pipeline");
  CHECK(adapter == 9);
  remove(path);
}

void test_adapters(const char* folder) {
  test_lora(folder);
  test_strengths(folder);
  test_embedding(folder);
  test_faults(folder);
  CHECK_SAME_PICTURE();
}
