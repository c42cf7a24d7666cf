/* The part of Godot's GDExtension interface (4.2 and later) that the extension uses, written from its public
 * description: functions are asked for by name; objects of the engine are opaque memory of a known size. */
#ifndef FJORD_GODOT_INTERFACE_H
#define FJORD_GODOT_INTERFACE_H

#include <stdint.h>

typedef uint8_t godot_bool;
typedef int64_t godot_int;

/* Sizes of the engine's builtin types in a 64-bit build with 32-bit floats. */
typedef struct {
  uint64_t opaque[1];
} godot_string;
typedef struct {
  uint64_t opaque[1];
} godot_string_name;
typedef struct {
  uint64_t opaque[2];
} godot_packed_bytes;
typedef struct {
  uint64_t opaque[3];
} godot_variant;

enum { /* kinds of Variant */
       GODOT_NIL = 0,
       GODOT_BOOL = 1,
       GODOT_INT = 2,
       GODOT_FLOAT = 3,
       GODOT_STRING = 4,
       GODOT_STRING_NAME = 21,
       GODOT_PACKED_BYTES = 29
};
enum { GODOT_LEVEL_SCENE = 2 };
enum { GODOT_METHOD_NORMAL = 1, GODOT_USAGE_DEFAULT = 6 };

typedef void (*godot_function)(void);
typedef godot_function (*godot_get_function)(const char* name);

typedef struct {
  int32_t minimum_level;
  void* userdata;
  void (*initialize)(void* userdata, int32_t level);
  void (*deinitialize)(void* userdata, int32_t level);
} godot_initialization;

typedef struct {
  int32_t type;
  void* name;       /* StringName */
  void* class_name; /* StringName */
  uint32_t hint;
  void* hint_string; /* String */
  uint32_t usage;
} godot_property;

typedef struct {
  int32_t error;
  int32_t argument;
  int32_t expected;
} godot_call_error;
enum { GODOT_CALL_OK = 0, GODOT_CALL_TOO_MANY_ARGUMENTS = 3, GODOT_CALL_TOO_FEW_ARGUMENTS = 4 };

typedef void (*godot_method_call)(void* userdata, void* instance, const void* const* arguments, godot_int count,
                                  void* result, godot_call_error* error);
typedef void (*godot_method_ptrcall)(void* userdata, void* instance, const void* const* arguments, void* result);

typedef struct {
  void* name; /* StringName */
  void* userdata;
  godot_method_call call;
  godot_method_ptrcall ptrcall;
  uint32_t flags;
  godot_bool has_result;
  godot_property* result;
  int32_t result_metadata;
  uint32_t argument_count;
  godot_property* arguments;
  int32_t* argument_metadata;
  uint32_t default_count;
  void** defaults;
} godot_method;

/* GDExtensionClassCreationInfo2 */
typedef struct {
  godot_bool is_virtual, is_abstract, is_exposed;
  void *set, *get, *get_property_list, *free_property_list, *property_can_revert, *property_get_revert,
      *validate_property;
  void *notification, *to_string, *reference, *unreference;
  void* (*create)(void* userdata);
  void (*free)(void* userdata, void* instance);
  void* recreate;
  void *get_virtual, *get_virtual_call_data, *call_virtual_with_data, *get_rid;
  void* userdata;
} godot_class;

/* The functions by the names under which the engine gives them. */
typedef void (*godot_string_new)(void* string, const char* utf8);                      /* string_new_with_utf8_chars */
typedef godot_int (*godot_string_to)(const void* string, char* utf8, godot_int bytes); /* string_to_utf8_chars */
typedef void (*godot_name_new)(void* name, const char* latin1,
                               godot_bool is_static); /* string_name_new_with_latin1_chars */
typedef void (*godot_destructor)(void* value);
typedef godot_destructor (*godot_get_destructor)(int32_t type); /* variant_get_ptr_destructor */
typedef void (*godot_constructor)(void* value, const void* const* arguments);
typedef godot_constructor (*godot_get_constructor)(int32_t type, int32_t number); /* variant_get_ptr_constructor */
typedef void (*godot_convert)(void* to, void* from);
typedef godot_convert (*godot_get_convert)(
    int32_t type); /* get_variant_from_type_constructor, get_variant_to_type_constructor */
typedef void (*godot_builtin)(void* self, const void* const* arguments, void* result, int32_t count);
typedef godot_builtin (*godot_get_builtin)(int32_t type, const void* name,
                                           godot_int hash);      /* variant_get_ptr_builtin_method */
typedef uint8_t* (*godot_byte_at)(void* bytes, godot_int index); /* packed_byte_array_operator_index */
typedef void* (*godot_construct)(const void* class_name);        /* classdb_construct_object */
typedef void (*godot_set_instance)(void* object, const void* class_name, void* instance); /* object_set_instance */
typedef void (*godot_add_class)(void* library, const void* name, const void* parent, const godot_class* info);
/* classdb_register_extension_class2 */
typedef void (*godot_add_method)(void* library, const void* class_name, const godot_method* info);
/* classdb_register_extension_class_method */
typedef void (*godot_remove_class)(void* library, const void* name); /* classdb_unregister_extension_class */

#endif
