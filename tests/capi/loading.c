/* Models and embeddings out of memory and out of the host's own storage. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MODEL FJORD_SOURCE_DIR "/weights/tiny/"

static const char* const kNames[] = {"model_index.json",
                                     "fjord.json",
                                     "scheduler/scheduler_config.json",
                                     "text_encoder/config.json",
                                     "text_encoder/model.safetensors",
                                     "tokenizer/tokenizer.json",
                                     "tokenizer/tokenizer_config.json",
                                     "tokenizer/vocab.json",
                                     "tokenizer/merges.txt",
                                     "unet/config.json",
                                     "unet/diffusion_pytorch_model.safetensors",
                                     "vae/config.json",
                                     "vae/diffusion_pytorch_model.safetensors"};
enum { kCount = sizeof kNames / sizeof kNames[0] };

static fjord_file read_file(const char* name) {
  char path[1024];
  fjord_file file = {name, NULL, 0};
  snprintf(path, sizeof path, "%s%s", MODEL, name);
  FILE* stream = fopen(path, "rb");
  if (stream == NULL) {
    CHECK(!"the file of the model opens");
    return file;
  }
  fseek(stream, 0, SEEK_END);
  file.size = (uint64_t)ftell(stream);
  rewind(stream);
  void* data = malloc(file.size);
  CHECK(fread(data, 1, file.size, stream) == file.size);
  file.data = data;
  fclose(stream);
  return file;
}

struct pack {
  fjord_file files[kCount];
  int fail_after; /* reads; -1: never */
};

static int64_t pack_size(void* user, const char* name) {
  const struct pack* pack = user;
  for (int i = 0; i < kCount; ++i) {
    if (strcmp(pack->files[i].name, name) == 0) return (int64_t)pack->files[i].size;
  }
  return -1;
}

static int32_t pack_read(void* user, const char* name, uint64_t offset, void* out, uint64_t bytes) {
  struct pack* pack = user;
  if (pack->fail_after == 0) return 5;
  if (pack->fail_after > 0) --pack->fail_after;
  for (int i = 0; i < kCount; ++i) {
    if (strcmp(pack->files[i].name, name) == 0) memcpy(out, (const char*)pack->files[i].data + offset, bytes);
  }
  return 0;
}

static void count_log(void* user, int32_t level, const char* message) {
  int* counts = user;
  CHECK(message[0] != '\0');
  ++counts[level];
}

/* The pipeline must make the same picture as the one from disk. Frees it. */
static void check_pipeline(fjord_pipeline pipeline) {
  static unsigned char wanted[32 * 32 * 3], got[32 * 32 * 3];
  fjord_request request = small_request();
  fjord_result a = 0, b = 0;
  CHECK_OK(fjord_generate(tiny_model(), request, NULL, NULL, &a));
  CHECK_OK(fjord_generate(pipeline, request, NULL, NULL, &b));
  CHECK_OK(fjord_result_copy_image(a, 0, FJORD_RGB8, wanted, sizeof wanted));
  CHECK_OK(fjord_result_copy_image(b, 0, FJORD_RGB8, got, sizeof got));
  CHECK(memcmp(wanted, got, sizeof got) == 0);
  CHECK_OK(fjord_result_free(a));
  CHECK_OK(fjord_result_free(b));
  CHECK_OK(fjord_request_free(request));
  CHECK_OK(fjord_pipeline_free(pipeline));
}

static void test_storage(struct pack* pack) {
  fjord_storage storage = FJORD_INIT(fjord_storage);
  fjord_load_options options = FJORD_INIT(fjord_load_options);
  fjord_pipeline pipeline = 0;
  int logs[4] = {0, 0, 0, 0};
  options.threads = 1;
  options.log = count_log;
  options.log_user = logs;
  storage.user = pack;
  CHECK_FAILS(fjord_pipeline_load_storage(&storage, &options, &pipeline), FJORD_INVALID_ARGUMENT, "must not be NULL");
  storage.size = pack_size;
  storage.read = pack_read;
  for (int reads = 0; reads < 12; ++reads) {
    pack->fail_after = reads;
    CHECK_FAILS(fjord_pipeline_load_storage(&storage, &options, &pipeline), FJORD_BAD_FILE, "returned 5");
  }
  CHECK(pipeline == 0 && logs[FJORD_LOG_ERROR] == 13);
  pack->fail_after = -1;
  CHECK_OK(fjord_pipeline_load_storage(&storage, &options, &pipeline));
  CHECK(logs[FJORD_LOG_INFO] == 1);
  check_pipeline(pipeline);
  CHECK_FAILS(fjord_pipeline_load_storage(NULL, NULL, &pipeline), FJORD_INVALID_ARGUMENT, "storage must not be NULL");
}

static void test_memory(const struct pack* pack) {
  fjord_load_options options = FJORD_INIT(fjord_load_options);
  fjord_pipeline pipeline = 0;
  options.threads = 1;
  options.drop_text_encoder = 1;
  CHECK_OK(fjord_pipeline_load_files(pack->files, kCount, &options, &pipeline));
  check_pipeline(pipeline);
  pipeline = 3;
  CHECK_FAILS(fjord_pipeline_load_files(pack->files, kCount - 1, NULL, &pipeline), FJORD_NOT_FOUND, "vae");
  CHECK_FAILS(fjord_pipeline_load_files(NULL, 0, NULL, &pipeline), FJORD_NOT_FOUND, "model_index.json");
  CHECK_FAILS(fjord_pipeline_load_files(NULL, 2, NULL, &pipeline), FJORD_INVALID_ARGUMENT, "files must not be NULL");
  options.precision = 7;
  CHECK_FAILS(fjord_pipeline_load_files(pack->files, kCount, &options, &pipeline), FJORD_INVALID_ARGUMENT, "precision");
  options.precision = FJORD_FLOAT16;
  CHECK_FAILS(fjord_pipeline_load_files(pack->files, kCount, &options, &pipeline), FJORD_UNSUPPORTED, "float16");
  options.precision = FJORD_FLOAT32;
  options.device = "cuda:99";
  CHECK_FAILS(fjord_pipeline_load_files(pack->files, kCount, &options, &pipeline), FJORD_DEVICE_UNAVAILABLE, "cuda:99");
  options.device = NULL;
  options.threads = -1;
  CHECK_FAILS(fjord_pipeline_load_files(pack->files, kCount, &options, &pipeline), FJORD_INVALID_ARGUMENT, "threads");
  CHECK(pipeline == 3);
  CHECK_FAILS(fjord_pipeline_load("/no/such/model", NULL, &pipeline), FJORD_NOT_FOUND, "/no/such/model");
  CHECK_FAILS(fjord_pipeline_load(NULL, NULL, &pipeline), FJORD_INVALID_ARGUMENT, "path must not be NULL");
  CHECK_FAILS(fjord_pipeline_load("/tmp", NULL, NULL), FJORD_INVALID_ARGUMENT, "out must not be NULL");
}

/* Files without the text encoder's weights: a request with embeddings gives the same picture, one with a prompt is
 * refused. */
static void test_without_text_encoder(const struct pack* pack) {
  fjord_file files[kCount];
  size_t count = 0;
  fjord_load_options options = FJORD_INIT(fjord_load_options);
  fjord_pipeline pipeline = 0;
  fjord_embeddings embeddings = 0;
  fjord_request request = small_request();
  fjord_result a = 0, b = 0;
  static unsigned char wanted[32 * 32 * 3], got[32 * 32 * 3];
  for (int i = 0; i < kCount; ++i) {
    if (strcmp(pack->files[i].name, "text_encoder/model.safetensors") != 0) files[count++] = pack->files[i];
  }
  options.threads = 1;
  CHECK_FAILS(fjord_pipeline_load_files(files, count, &options, &pipeline), FJORD_NOT_FOUND, "text_encoder");
  options.without_text_encoder = 1;
  CHECK_OK(fjord_pipeline_load_files(files, count, &options, &pipeline));
  CHECK_FAILS(fjord_generate(pipeline, request, NULL, NULL, &b), FJORD_INVALID_ARGUMENT, "without its text encoder");
  CHECK_OK(fjord_generate(tiny_model(), request, NULL, NULL, &a));
  CHECK_OK(fjord_encode_prompt(tiny_model(), "a gold crown on red cloth", NULL, &embeddings));
  CHECK_OK(fjord_request_set_embeddings(request, embeddings));
  CHECK_OK(fjord_generate(pipeline, request, NULL, NULL, &b));
  CHECK_OK(fjord_result_copy_image(a, 0, FJORD_RGB8, wanted, sizeof wanted));
  CHECK_OK(fjord_result_copy_image(b, 0, FJORD_RGB8, got, sizeof got));
  CHECK(memcmp(wanted, got, sizeof got) == 0);
  CHECK_OK(fjord_embeddings_free(embeddings));
  CHECK_OK(fjord_result_free(a));
  CHECK_OK(fjord_result_free(b));
  CHECK_OK(fjord_request_free(request));
  CHECK_OK(fjord_pipeline_free(pipeline));
}

static void test_embeddings(const char* folder) {
  char path[1024];
  fjord_embeddings embeddings = 0, loaded = 9;
  fjord_request request = small_request();
  fjord_result result = 0;
  snprintf(path, sizeof path, "%s/embeddings.safetensors", folder);
  CHECK_OK(fjord_encode_prompt(tiny_model(), "a gold crown on red cloth", NULL, &embeddings));
  CHECK_OK(fjord_embeddings_save(embeddings, path));
  CHECK_FAILS(fjord_embeddings_load_memory("no safetensors", 14, &loaded), FJORD_BAD_FILE, "");
  CHECK_FAILS(fjord_embeddings_load_memory(NULL, 14, &loaded), FJORD_INVALID_ARGUMENT, "data must not be NULL");
  CHECK_FAILS(fjord_embeddings_load("/no/such/file", &loaded), FJORD_NOT_FOUND, "/no/such/file");
  CHECK_FAILS(fjord_embeddings_load(MODEL "vae/diffusion_pytorch_model.safetensors", &loaded), FJORD_BAD_FILE,
              "\"positive\"");
  CHECK(loaded == 9);
  CHECK_OK(fjord_embeddings_load(path, &loaded));
  CHECK_OK(fjord_request_set(request, "prompt", "something else"));
  CHECK_OK(fjord_request_set_embeddings(request, loaded));
  CHECK_OK(fjord_generate(tiny_model(), request, NULL, NULL, &result));
  CHECK_OK(fjord_result_free(result));
  CHECK_OK(fjord_embeddings_free(loaded));
  CHECK_OK(fjord_embeddings_free(embeddings));
  CHECK_OK(fjord_request_free(request));
  remove(path);
}

void test_loading(const char* folder) {
  struct pack pack;
  for (int i = 0; i < kCount; ++i) pack.files[i] = read_file(kNames[i]);
  test_storage(&pack);
  test_memory(&pack);
  test_without_text_encoder(&pack);
  test_embeddings(folder);
  for (int i = 0; i < kCount; ++i) free((void*)pack.files[i].data);
  CHECK_SAME_PICTURE();
}
