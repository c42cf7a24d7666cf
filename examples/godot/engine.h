/* The engine's functions, looked up once, and values in its types. */
#ifndef FJORD_GODOT_ENGINE_H
#define FJORD_GODOT_ENGINE_H

#include "interface.h"

#include <stddef.h>

/* 1 if the engine has every function that is needed. */
int engine_connect(godot_get_function get, void* library);

/* Bytes written without the closing zero; at most `room` - 1. */
size_t engine_text(const godot_string* string, char* out, size_t room);
void engine_make_string(godot_string* out, const char* utf8);
void engine_make_bytes(godot_packed_bytes* out, const void* data, size_t size);

/* A typed method: arguments and result point at bool, int64_t, double, godot_string or godot_packed_bytes. */
typedef void (*engine_body)(void* instance, const void* const* arguments, void* result);
enum { ENGINE_MAX_ARGUMENTS = 2 };
struct engine_method {
  const char* name;
  engine_body body;
  int32_t result;
  uint32_t count;
  int32_t kinds[ENGINE_MAX_ARGUMENTS];
  const char* names[ENGINE_MAX_ARGUMENTS];
};

struct engine_class {
  const char* name;
  void* (*create)(void);
  void (*destroy)(void* instance);
  const struct engine_method* methods;
  size_t count;
};
/* A class that derives from RefCounted. `info` must live until engine_remove_class. */
void engine_add_class(const struct engine_class* info);
void engine_remove_class(const struct engine_class* info);

#endif
