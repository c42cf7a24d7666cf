/* Stands for Godot's editor: loads the extension as a project does, makes objects of its class, calls their methods
 * with Variants as scripts do, and reloads it. Every value of the engine is counted, so that one that is not given back
 * shows. godot_harness EXTENSION.so MODEL_FOLDER [CYCLES] */
#include "interface.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int failures = 0;
static long living = 0; /* strings, names and byte arrays of the engine */

static void check(int condition, const char* what) {
  if (condition) return;
  ++failures;
  fprintf(stderr, "godot_harness: failed: %s\n", what);
}

/* ---- The engine's values: strings are pointers to text, arrays a pointer and a size, Variants a kind and a value.
 * ---- */

static void new_text(void* out, const char* text) {
  char* copy = malloc(strlen(text) + 1);
  strcpy(copy, text);
  memcpy(out, &copy, sizeof copy);
  ++living;
}
static void new_name(void* out, const char* text, godot_bool is_static) {
  (void)is_static;
  new_text(out, text);
}
static const char* text_of(const void* string) {
  const char* text;
  memcpy(&text, string, sizeof text);
  return text;
}
static godot_int text_to(const void* string, char* out, godot_int room) {
  const char* text = text_of(string);
  const godot_int length = (godot_int)strlen(text);
  memcpy(out, text, (size_t)(length < room ? length : room));
  return length;
}
static void free_first_pointer(void* value) {
  void* pointer;
  memcpy(&pointer, value, sizeof pointer);
  free(pointer);
  memset(value, 0, sizeof pointer);
  --living;
}
static godot_destructor destructor_of(int32_t kind) {
  return kind == GODOT_STRING || kind == GODOT_STRING_NAME || kind == GODOT_PACKED_BYTES ? free_first_pointer : NULL;
}
static void new_bytes(void* out, const void* const* arguments) {
  (void)arguments;
  memset(out, 0, sizeof(godot_packed_bytes));
  ++living;
}
static godot_constructor constructor_of(int32_t kind, int32_t number) {
  return kind == GODOT_PACKED_BYTES && number == 0 ? new_bytes : NULL;
}
static void resize(void* self, const void* const* arguments, void* result, int32_t count) {
  godot_packed_bytes* bytes = self;
  const int64_t size = *(const int64_t*)arguments[0];
  void* pointer = realloc((void*)(uintptr_t)bytes->opaque[0], (size_t)size + 1);
  check(count == 1, "resize has one argument");
  bytes->opaque[0] = (uint64_t)(uintptr_t)pointer;
  bytes->opaque[1] = (uint64_t)size;
  *(int64_t*)result = 0;
}
static godot_builtin builtin_of(int32_t kind, const void* name, godot_int hash) {
  return kind == GODOT_PACKED_BYTES && strcmp(text_of(name), "resize") == 0 && hash == 848867239 ? resize : NULL;
}
static uint8_t* byte_at(void* bytes, godot_int index) {
  return (uint8_t*)(uintptr_t)((godot_packed_bytes*)bytes)->opaque[0] + index;
}

static size_t size_of(int32_t kind) { return kind == GODOT_BOOL ? 1 : (kind == GODOT_PACKED_BYTES ? 16 : 8); }

/* A copy: strings and arrays get memory of their own. */
static void copy_value(int32_t kind, void* to, const void* from) {
  memcpy(to, from, size_of(kind));
  if (kind == GODOT_STRING) new_text(to, text_of(from));
  if (kind == GODOT_PACKED_BYTES) {
    const godot_packed_bytes* bytes = from;
    const int64_t size = (int64_t)bytes->opaque[1];
    const void* arguments[] = {&size};
    int64_t ignored;
    new_bytes(to, NULL);
    resize(to, arguments, &ignored, 1);
    memcpy(byte_at(to, 0), (const void*)(uintptr_t)bytes->opaque[0], (size_t)size);
  }
}
#define CONVERT(name, kind)                                                                \
  static void from_##name(void* variant, void* value) {                                    \
    ((godot_variant*)variant)->opaque[0] = kind;                                           \
    copy_value(kind, &((godot_variant*)variant)->opaque[1], value);                        \
  }                                                                                        \
  static void to_##name(void* value, void* variant) {                                      \
    check(((godot_variant*)variant)->opaque[0] == kind, "a Variant of the method's kind"); \
    copy_value(kind, value, &((godot_variant*)variant)->opaque[1]);                        \
  }
CONVERT(bool, GODOT_BOOL)
CONVERT(int, GODOT_INT)
CONVERT(float, GODOT_FLOAT)
CONVERT(string, GODOT_STRING)
CONVERT(bytes, GODOT_PACKED_BYTES)

static godot_convert from_kind(int32_t kind) {
  switch (kind) {
    case GODOT_BOOL: return from_bool;
    case GODOT_INT: return from_int;
    case GODOT_FLOAT: return from_float;
    case GODOT_STRING: return from_string;
    default: return from_bytes;
  }
}
static godot_convert to_kind(int32_t kind) {
  switch (kind) {
    case GODOT_BOOL: return to_bool;
    case GODOT_INT: return to_int;
    case GODOT_FLOAT: return to_float;
    case GODOT_STRING: return to_string;
    default: return to_bytes;
  }
}

/* ---- The class that the extension registers. ---- */

enum { kMostMethods = 16 };
static struct {
  int known;
  godot_class info;
  char name[64];
  struct {
    char name[32];
    godot_method info;
    int32_t result;
  } methods[kMostMethods];
  int count;
  void* instance; /* of the object made last */
} registered;

static void* construct(const void* class_name) {
  check(strcmp(text_of(class_name), "RefCounted") == 0, "objects are of the parent class first");
  return malloc(1);
}
static void set_instance(void* object, const void* class_name, void* instance) {
  check(object != NULL && strcmp(text_of(class_name), registered.name) == 0, "the instance is of the class");
  registered.instance = instance;
}
static void add_class(void* library, const void* name, const void* parent, const godot_class* info) {
  check(library != NULL && strcmp(text_of(parent), "RefCounted") == 0, "the class derives from RefCounted");
  memset(&registered, 0, sizeof registered);
  registered.known = 1;
  registered.info = *info;
  snprintf(registered.name, sizeof registered.name, "%s", text_of(name));
}
static void add_method(void* library, const void* class_name, const godot_method* info) {
  check(library != NULL && strcmp(text_of(class_name), registered.name) == 0, "the method is of the class");
  check(registered.count < kMostMethods, "there is room for the method");
  snprintf(registered.methods[registered.count].name, 32, "%s", text_of(info->name));
  registered.methods[registered.count].info = *info;
  registered.methods[registered.count].result = info->has_result ? info->result->type : GODOT_NIL;
  ++registered.count;
}
static void remove_class(void* library, const void* name) {
  check(library != NULL && strcmp(text_of(name), registered.name) == 0, "the class is known");
  registered.known = 0;
}

static godot_function get_function(const char* name) {
  static const struct {
    const char* name;
    godot_function function;
  } all[] = {{"string_new_with_utf8_chars", (godot_function)new_text},
             {"string_to_utf8_chars", (godot_function)text_to},
             {"string_name_new_with_latin1_chars", (godot_function)new_name},
             {"variant_get_ptr_destructor", (godot_function)destructor_of},
             {"variant_get_ptr_constructor", (godot_function)constructor_of},
             {"get_variant_from_type_constructor", (godot_function)from_kind},
             {"get_variant_to_type_constructor", (godot_function)to_kind},
             {"variant_get_ptr_builtin_method", (godot_function)builtin_of},
             {"packed_byte_array_operator_index", (godot_function)byte_at},
             {"classdb_construct_object", (godot_function)construct},
             {"object_set_instance", (godot_function)set_instance},
             {"classdb_register_extension_class2", (godot_function)add_class},
             {"classdb_register_extension_class_method", (godot_function)add_method},
             {"classdb_unregister_extension_class", (godot_function)remove_class}};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i) {
    if (strcmp(all[i].name, name) == 0) return all[i].function;
  }
  return NULL;
}

/* ---- A script ---- */

static godot_variant call(void* instance, const char* name, const godot_variant* arguments, godot_int count) {
  godot_variant result = {{0, 0, 0}};
  const void* pointers[4] = {NULL, NULL, NULL, NULL};
  for (godot_int i = 0; i < count; ++i) pointers[i] = &arguments[i];
  for (int i = 0; i < registered.count; ++i) {
    godot_call_error error = {-1, 0, 0};
    if (strcmp(registered.methods[i].name, name) != 0) continue;
    registered.methods[i].info.call(registered.methods[i].info.userdata, instance, pointers, count, &result, &error);
    check(error.error == GODOT_CALL_OK, name);
    check(result.opaque[0] == (uint64_t)registered.methods[i].result, "the result is of the method's kind");
    return result;
  }
  check(0, name);
  return result;
}
static void drop(godot_variant* variant) {
  const godot_destructor destructor = destructor_of((int32_t)variant->opaque[0]);
  if (destructor != NULL) destructor(&variant->opaque[1]);
}
static godot_variant string_variant(const char* text) {
  godot_variant out = {{GODOT_STRING, 0, 0}};
  new_text(&out.opaque[1], text);
  return out;
}
static double number_of(godot_variant variant) {
  double real;
  memcpy(&real, &variant.opaque[1], sizeof real);
  return variant.opaque[0] == GODOT_FLOAT ? real : (double)(int64_t)variant.opaque[1];
}
/* Calls with a text; 1 if the answer is the empty text, as of load(). */
static int call_with_text(void* instance, const char* name, const char* text) {
  godot_variant argument = string_variant(text), answer = call(instance, name, &argument, 1);
  const int empty = text_of(&answer.opaque[1])[0] == '\0';
  drop(&argument);
  drop(&answer);
  return empty;
}
static void request(void* instance, const char* prompt) {
  godot_variant arguments[2] = {string_variant(prompt), {{GODOT_INT, 7, 0}}};
  godot_variant answer = call(instance, "request", arguments, 2);
  check((answer.opaque[1] & 1) == 1, "the request is taken");
  drop(&arguments[0]);
}
static void wait_for_end(void* instance) {
  const struct timespec frame = {0, 16000000};
  double progress = 0;
  while (progress >= 0 && progress < 1) {
    nanosleep(&frame, NULL);
    progress = number_of(call(instance, "progress", NULL, 0));
  }
  check(progress == 1, "the picture is made");
}

static void play(const char* model) {
  void* object = registered.info.create(registered.info.userdata);
  void* instance = registered.instance;
  check(object != NULL && instance != NULL, "an object is made");
  check(!call_with_text(instance, "load", "/no/such/model"), "a missing model is told");
  check(call_with_text(instance, "load", model), "the model loads");
  request(instance, "a gold crown on red cloth");
  wait_for_end(instance);
  const double size = number_of(call(instance, "width", NULL, 0)) * number_of(call(instance, "height", NULL, 0)) * 4;
  godot_variant image = call(instance, "take_image", NULL, 0);
  check(size > 0 && (double)image.opaque[2] == size, "the image has all its bytes");
  drop(&image);
  request(instance, "a blue potion on sand");
  call(instance, "cancel", NULL, 0);
  request(instance, "lava"); /* and the object goes while this runs */
  registered.info.free(registered.info.userdata, instance);
  free(object);
}

static void cycle(const char* extension, const char* model) {
  typedef godot_bool (*entry)(godot_get_function, void*, godot_initialization*);
  godot_initialization init = {0, NULL, NULL, NULL};
  entry start = NULL;
  int library = 0;
  void* handle = dlopen(extension, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) {
    check(0, dlerror());
    return;
  }
  void* symbol = dlsym(handle, "fjord_godot_init");
  memcpy(&start, &symbol, sizeof start);
  check(start != NULL && start(get_function, &library, &init) == 1, "the extension starts");
  for (int32_t level = 0; level <= 3; ++level) init.initialize(init.userdata, level);
  check(registered.known, "the class is registered");
  play(model);
  for (int32_t level = 3; level >= 0; --level) init.deinitialize(init.userdata, level);
  check(!registered.known, "the class is gone");
  dlclose(handle);
  check(living == 0, "every value of the engine was given back");
}

int main(int argc, char** argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: godot_harness EXTENSION.so MODEL_FOLDER [CYCLES]\n");
    return 64;
  }
  const int cycles = argc > 3 ? atoi(argv[3]) : 3;
  for (int i = 0; i < cycles; ++i) cycle(argv[1], argv[2]);
  printf("%d cycles, %d failures\n", cycles, failures);
  return failures == 0 ? 0 : 1;
}
