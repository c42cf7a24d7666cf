// Prompts encoded once and kept: a program that ships them needs no text encoder.
#pragma once

#include <fjord/export.h>
#include <fjord/request.h>

#include <cstddef>
#include <span>
#include <string>

namespace fjord {

// Writes what Pipeline::encode_prompt gave as a safetensors file (float32), whole or not at all. Throws Error:
// kCannotWrite; kInvalidArgument where shapes and values disagree.
FJORD_API void write_embeddings(const std::string& path, const PromptEmbeddings& embeddings);

// Reads them back for Request::embeddings: from a file, or from a file's bytes in memory. Throws Error: kNotFound,
// kBadFile.
FJORD_API PromptEmbeddings read_embeddings(const std::string& path);
FJORD_API PromptEmbeddings read_embeddings(std::span<const std::byte> bytes);

}  // namespace fjord
