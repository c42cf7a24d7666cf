#include "engine.h"

#include <string.h>

/* PackedByteArray.resize, as the engine's API description names it. */
#define RESIZE_HASH 848867239

static struct {
  void* library;
  godot_string_new string_new;
  godot_string_to string_to;
  godot_name_new name_new;
  godot_get_destructor destructor;
  godot_get_constructor constructor;
  godot_get_convert from_type, to_type;
  godot_get_builtin builtin;
  godot_byte_at byte_at;
  godot_construct construct;
  godot_set_instance set_instance;
  godot_add_class add_class;
  godot_add_method add_method;
  godot_remove_class remove_class;
} engine;

/* Room for a value of any kind that a method takes. */
typedef union {
  godot_bool truth;
  int64_t number;
  double real;
  godot_string string;
  godot_packed_bytes bytes;
} engine_value;

int engine_connect(godot_get_function get, void* library) {
  engine.library = library;
  engine.string_new = (godot_string_new)get("string_new_with_utf8_chars");
  engine.string_to = (godot_string_to)get("string_to_utf8_chars");
  engine.name_new = (godot_name_new)get("string_name_new_with_latin1_chars");
  engine.destructor = (godot_get_destructor)get("variant_get_ptr_destructor");
  engine.constructor = (godot_get_constructor)get("variant_get_ptr_constructor");
  engine.from_type = (godot_get_convert)get("get_variant_from_type_constructor");
  engine.to_type = (godot_get_convert)get("get_variant_to_type_constructor");
  engine.builtin = (godot_get_builtin)get("variant_get_ptr_builtin_method");
  engine.byte_at = (godot_byte_at)get("packed_byte_array_operator_index");
  engine.construct = (godot_construct)get("classdb_construct_object");
  engine.set_instance = (godot_set_instance)get("object_set_instance");
  engine.add_class = (godot_add_class)get("classdb_register_extension_class2");
  engine.add_method = (godot_add_method)get("classdb_register_extension_class_method");
  engine.remove_class = (godot_remove_class)get("classdb_unregister_extension_class");
  return engine.string_new && engine.string_to && engine.name_new && engine.destructor && engine.constructor &&
         engine.from_type && engine.to_type && engine.builtin && engine.byte_at && engine.construct &&
         engine.set_instance && engine.add_class && engine.add_method && engine.remove_class;
}

size_t engine_text(const godot_string* string, char* out, size_t room) {
  const godot_int length = engine.string_to(string, out, (godot_int)room - 1);
  const size_t kept = length < 0 ? 0 : ((size_t)length < room - 1 ? (size_t)length : room - 1);
  out[kept] = '\0';
  return kept;
}

void engine_make_string(godot_string* out, const char* utf8) { engine.string_new(out, utf8); }

static void destroy(int32_t kind, void* value) {
  const godot_destructor destructor = engine.destructor(kind);
  if (destructor != NULL) destructor(value); /* numbers have none */
}

void engine_make_bytes(godot_packed_bytes* out, const void* data, size_t size) {
  int64_t count = (int64_t)size, failed = 0;
  const void* arguments[] = {&count};
  godot_string_name resize;
  engine.name_new(&resize, "resize", 0);
  engine.constructor(GODOT_PACKED_BYTES, 0)(out, NULL);
  engine.builtin(GODOT_PACKED_BYTES, &resize, RESIZE_HASH)(out, arguments, &failed, 1);
  if (size > 0 && failed == 0) memcpy(engine.byte_at(out, 0), data, size);
  destroy(GODOT_STRING_NAME, &resize);
}

/* From a script: values come as Variants. */
static void call(void* userdata, void* instance, const void* const* arguments, godot_int count, void* result,
                 godot_call_error* error) {
  const struct engine_method* method = userdata;
  engine_value values[ENGINE_MAX_ARGUMENTS], made;
  const void* pointers[ENGINE_MAX_ARGUMENTS];
  if (count != (godot_int)method->count) {
    error->error = count < (godot_int)method->count ? GODOT_CALL_TOO_FEW_ARGUMENTS : GODOT_CALL_TOO_MANY_ARGUMENTS;
    error->expected = (int32_t)method->count;
    return;
  }
  for (uint32_t i = 0; i < method->count; ++i) {
    engine.to_type(method->kinds[i])(&values[i], (void*)(uintptr_t)arguments[i]);
    pointers[i] = &values[i];
  }
  memset(&made, 0, sizeof made);
  method->body(instance, pointers, &made);
  if (method->result != GODOT_NIL) {
    engine.from_type(method->result)(result, &made);
    destroy(method->result, &made);
  }
  for (uint32_t i = 0; i < method->count; ++i) destroy(method->kinds[i], &values[i]);
  error->error = GODOT_CALL_OK;
}

/* From typed code: values come as they are. The engine made the result already, so it goes first. */
static void ptrcall(void* userdata, void* instance, const void* const* arguments, void* result) {
  const struct engine_method* method = userdata;
  if (method->result != GODOT_NIL) destroy(method->result, result);
  method->body(instance, arguments, result);
}

static void* create(void* userdata) {
  const struct engine_class* info = userdata;
  godot_string_name name, parent;
  engine.name_new(&name, info->name, 0);
  engine.name_new(&parent, "RefCounted", 0);
  void* object = engine.construct(&parent);
  engine.set_instance(object, &name, info->create());
  destroy(GODOT_STRING_NAME, &name);
  destroy(GODOT_STRING_NAME, &parent);
  return object;
}

static void release(void* userdata, void* instance) { ((const struct engine_class*)userdata)->destroy(instance); }

static void add_method(const godot_string_name* class_name, const struct engine_method* method) {
  godot_string_name name, empty, names[ENGINE_MAX_ARGUMENTS];
  godot_string hint;
  godot_property result = {0}, arguments[ENGINE_MAX_ARGUMENTS];
  int32_t metadata[ENGINE_MAX_ARGUMENTS] = {0};
  godot_method info = {0};
  engine.name_new(&name, method->name, 0);
  engine.name_new(&empty, "", 0);
  engine.string_new(&hint, "");
  result = (godot_property){method->result, &empty, &empty, 0, &hint, GODOT_USAGE_DEFAULT};
  for (uint32_t i = 0; i < method->count; ++i) {
    engine.name_new(&names[i], method->names[i], 0);
    arguments[i] = (godot_property){method->kinds[i], &names[i], &empty, 0, &hint, GODOT_USAGE_DEFAULT};
  }
  info.name = &name;
  info.userdata = (void*)(uintptr_t)method;
  info.call = call;
  info.ptrcall = ptrcall;
  info.flags = GODOT_METHOD_NORMAL;
  info.has_result = method->result != GODOT_NIL;
  info.result = &result;
  info.argument_count = method->count;
  info.arguments = arguments;
  info.argument_metadata = metadata;
  engine.add_method(engine.library, class_name, &info);
  for (uint32_t i = 0; i < method->count; ++i) destroy(GODOT_STRING_NAME, &names[i]);
  destroy(GODOT_STRING, &hint);
  destroy(GODOT_STRING_NAME, &empty);
  destroy(GODOT_STRING_NAME, &name);
}

void engine_add_class(const struct engine_class* info) {
  godot_string_name name, parent;
  godot_class made = {0};
  engine.name_new(&name, info->name, 0);
  engine.name_new(&parent, "RefCounted", 0);
  made.is_exposed = 1;
  made.create = create;
  made.free = release;
  made.userdata = (void*)(uintptr_t)info;
  engine.add_class(engine.library, &name, &parent, &made);
  for (size_t i = 0; i < info->count; ++i) add_method(&name, &info->methods[i]);
  destroy(GODOT_STRING_NAME, &name);
  destroy(GODOT_STRING_NAME, &parent);
}

void engine_remove_class(const struct engine_class* info) {
  godot_string_name name;
  engine.name_new(&name, info->name, 0);
  engine.remove_class(engine.library, &name);
  destroy(GODOT_STRING_NAME, &name);
}
