// What a picture of ours says about its making: the record, as text chunks of its PNG file.
//   "parameters"  one text in the form that AUTOMATIC1111's web UI writes and many tools read
//   "fjord"       JSON with everything that `fjord replay` needs
#pragma once

#include "cli/adapter_options.h"
#include "cli/control_options.h"
#include "cli/image_prompt_options.h"
#include "cli/input_files.h"
#include "cli/model_files_json.h"

#include <fjord/image.h>
#include <fjord/request.h>

#include <string>

namespace fjord::cli {

struct PictureRecord {
  std::string version;            // of the library that made the picture
  std::string model;              // path as it was given
  std::string model_fingerprint;  // model_fingerprint() of it
  ModelFilesRecord files;         // where its parts came from
  std::string dtype = "float32";
  std::string device = "cpu";
  std::string kernels = "reference";  // PipelineInfo::kernels
  int threads = 0;                    // as asked for; 0: LibTorch's default
  int image_index = 0;                // which of the request's images this is, from 0
  std::string latents;                // path of the file of initial latents, if one was given
  std::string latents_fingerprint;
  InputFiles input;                // pictures that it was made from
  AdapterFiles adapters;           // LoRAs and textual inversions
  ControlFiles controls;           // ControlNets and T2I-Adapters with their pictures
  ImagePromptFiles image_prompts;  // pictures to resemble
  Request request;                 // the effective one, every default filled in
};

PngText to_png_text(const PictureRecord& record);

// The record in the text chunks of the file `path`. Throws Error: kBadFile if there is none or a damaged one,
// kUnsupported if a newer version of fjord wrote it.
PictureRecord record_from_png_text(const PngText& text, const std::string& path);

// The "parameters" text.
std::string parameters_text(const PictureRecord& record);

}  // namespace fjord::cli
