// Cheap marks by which a replay notices that the model or the initial latents are not those of the first time.
// Not proof against forgery: they guard against mistakes.
#pragma once

#include <fjord/request.h>

#include <string>

namespace fjord::cli {

// 16 hexadecimal digits from the names, the sizes and 16 evenly spaced blocks of 4 KiB of every .safetensors, .json and
// .txt file in a model folder and in the folders directly below it (or of the one file that `path` names).
// It reads 64 KiB a file at most, so it costs milliseconds for a model of any size.
// Throws Error: kNotFound, kBadFile.
std::string model_fingerprint(const std::string& path);

// 16 hexadecimal digits from the shape and all values of `array`.
std::string array_fingerprint(const Array& array);

}  // namespace fjord::cli
