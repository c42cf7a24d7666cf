// Symbol visibility of the shared library: only what carries FJORD_API leaves it.
#pragma once

#define FJORD_API __attribute__((visibility("default")))
#define FJORD_LOCAL __attribute__((visibility("hidden")))  // inside a class that carries FJORD_API
