/* A Godot 4 extension (GDExtension) over fjord's C interface: the class FjordGenerator.
 *
 *   var generator = FjordGenerator.new()
 *   var problem = generator.load("res://models/tiny")        # "" or a sentence
 *   generator.request("a gold crown on red cloth", 1)          # returns at once
 *   if generator.progress() >= 1.0:                            # in _process; -1.0 when it failed
 *       var image = Image.create_from_data(generator.width(), generator.height(), false, Image.FORMAT_RGBA8,
 * generator.take_image())
 */
#include "engine.h"

#include <fjord/c.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kTextRoom = 1 << 16 };

struct generator {
  fjord_pipeline pipeline;
  fjord_queue queue;
  fjord_job job;
  char problem[512];
};

static void* create(void) {
  struct generator* self = calloc(1, sizeof *self);
  fjord_queue_options options = FJORD_INIT(fjord_queue_options);
  options.background = 1; /* frames come first */
  if (self != NULL && fjord_queue_create(&options, &self->queue) != FJORD_OK) {
    snprintf(self->problem, sizeof self->problem, "%s", fjord_last_error());
  }
  return self;
}

static void drop_job(struct generator* self) {
  if (self->job != 0) fjord_job_free(self->job);
  self->job = 0;
}

static void destroy(void* instance) {
  struct generator* self = instance;
  drop_job(self);
  fjord_queue_free(self->queue);
  if (self->pipeline != 0) fjord_pipeline_free(self->pipeline);
  free(self);
}

/* Keeps the sentence where the call failed; 1 if it did not. */
static int worked(struct generator* self, fjord_status status) {
  snprintf(self->problem, sizeof self->problem, "%s", status == FJORD_OK ? "" : fjord_last_error());
  return status == FJORD_OK;
}

static void load(void* instance, const void* const* arguments, void* result) {
  struct generator* self = instance;
  char* path = malloc(kTextRoom);
  fjord_pipeline pipeline = 0;
  engine_text(arguments[0], path, kTextRoom);
  if (worked(self, fjord_pipeline_load(path, NULL, &pipeline))) {
    drop_job(self);
    if (self->pipeline != 0) fjord_pipeline_free(self->pipeline);
    self->pipeline = pipeline;
  }
  free(path);
  engine_make_string(result, self->problem);
}

static void request(void* instance, const void* const* arguments, void* result) {
  struct generator* self = instance;
  char* prompt = malloc(kTextRoom);
  fjord_request_options options = FJORD_INIT(fjord_request_options);
  fjord_request wish = 0;
  engine_text(arguments[0], prompt, kTextRoom);
  options.prompt = prompt;
  options.seed = (uint64_t) * (const int64_t*)arguments[1];
  drop_job(self);
  *(godot_bool*)result =
      (godot_bool)(worked(self, fjord_request_create(&options, &wish)) &&
                   worked(self, fjord_queue_submit(self->queue, self->pipeline, wish, NULL, &self->job)));
  if (wish != 0) fjord_request_free(wish);
  free(prompt);
}

static void progress(void* instance, const void* const* arguments, void* result) {
  struct generator* self = instance;
  fjord_job_status status = FJORD_INIT(fjord_job_status);
  double* out = result;
  (void)arguments;
  *out = -1;
  if (self->job == 0 || !worked(self, fjord_job_poll(self->job, &status))) return;
  if (status.state == FJORD_JOB_DONE) {
    *out = 1;
  } else if (status.state == FJORD_JOB_QUEUED || status.state == FJORD_JOB_RUNNING) {
    *out = status.steps == 0 ? 0 : 0.99 * status.step / status.steps;
  } else {
    fjord_result none = 0;
    worked(self, fjord_job_get_result(self->job, &none)); /* for its sentence */
  }
}

/* The picture's size, 0 where there is none. */
static fjord_result_info picture(struct generator* self, fjord_result* result) {
  fjord_result_info info = FJORD_INIT(fjord_result_info);
  *result = 0;
  if (worked(self, fjord_job_get_result(self->job, result))) fjord_result_get_info(*result, &info);
  return info;
}

static void width(void* instance, const void* const* arguments, void* result) {
  fjord_result picture_result;
  (void)arguments;
  *(int64_t*)result = picture(instance, &picture_result).width;
  fjord_result_free(picture_result);
}

static void height(void* instance, const void* const* arguments, void* result) {
  fjord_result picture_result;
  (void)arguments;
  *(int64_t*)result = picture(instance, &picture_result).height;
  fjord_result_free(picture_result);
}

static void take_image(void* instance, const void* const* arguments, void* result) {
  struct generator* self = instance;
  fjord_result finished;
  const fjord_result_info info = picture(self, &finished);
  const size_t size = (size_t)info.width * (size_t)info.height * 4;
  void* pixels = malloc(size + 1);
  (void)arguments;
  if (size > 0 && !worked(self, fjord_result_copy_image(finished, 0, FJORD_RGBA8, pixels, size))) {
    engine_make_bytes(result, NULL, 0);
  } else {
    engine_make_bytes(result, pixels, size);
  }
  free(pixels);
  fjord_result_free(finished);
}

static void cancel(void* instance, const void* const* arguments, void* result) {
  struct generator* self = instance;
  (void)arguments;
  (void)result;
  if (self->job != 0) worked(self, fjord_job_cancel(self->job));
}

static void problem(void* instance, const void* const* arguments, void* result) {
  (void)arguments;
  engine_make_string(result, ((struct generator*)instance)->problem);
}

static const struct engine_method kMethods[] = {
    {"load", load, GODOT_STRING, 1, {GODOT_STRING}, {"path"}},
    {"request", request, GODOT_BOOL, 2, {GODOT_STRING, GODOT_INT}, {"prompt", "seed"}},
    {"progress", progress, GODOT_FLOAT, 0, {0}, {NULL}},
    {"width", width, GODOT_INT, 0, {0}, {NULL}},
    {"height", height, GODOT_INT, 0, {0}, {NULL}},
    {"take_image", take_image, GODOT_PACKED_BYTES, 0, {0}, {NULL}},
    {"cancel", cancel, GODOT_NIL, 0, {0}, {NULL}},
    {"problem", problem, GODOT_STRING, 0, {0}, {NULL}},
};
static const struct engine_class kClass = {"FjordGenerator", create, destroy, kMethods,
                                           sizeof kMethods / sizeof kMethods[0]};

static void initialize(void* userdata, int32_t level) {
  (void)userdata;
  if (level == GODOT_LEVEL_SCENE) engine_add_class(&kClass);
}

static void deinitialize(void* userdata, int32_t level) {
  (void)userdata;
  if (level == GODOT_LEVEL_SCENE) engine_remove_class(&kClass);
}

/* The entry_symbol of fjord.gdextension. */
__attribute__((visibility("default"))) godot_bool fjord_godot_init(godot_get_function get, void* library,
                                                                   godot_initialization* out) {
  if (!engine_connect(get, library)) return 0;
  out->minimum_level = GODOT_LEVEL_SCENE;
  out->userdata = NULL;
  out->initialize = initialize;
  out->deinitialize = deinitialize;
  return 1;
}
