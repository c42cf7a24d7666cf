// One run from a request to files: what `fjord txt2img` and `fjord replay` have in common.
#pragma once

#include "cli/adapter_options.h"
#include "cli/control_options.h"
#include "cli/image_prompt_options.h"
#include "cli/input_files.h"
#include "cli/model_files_json.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/progress_bar.h"

#include <fjord/pipeline.h>

#include <string>

namespace fjord::cli {

struct RenderJob {
  std::string model = kDefaultModel;
  std::string expected_fingerprint;  // a warning if the model has another; empty: any will do
  LoadOptions load;
  ModelFilesRecord expected_files;  // warnings if the parts in load.files have other fingerprints
  Request request;
  InputFiles files;                          // pictures to start from and a mask, read into the request
  std::string latents;                       // safetensors file of initial noise; empty: drawn from the seed
  std::string expected_latents_fingerprint;  // likewise
  AdapterFiles adapters;                     // with the fingerprints of the first time
  ControlFiles controls;                     // likewise
  ImagePromptFiles image_prompts;            // likewise
  std::string out = "out.png";               // numbered if the request makes several images
  int only_image = -1;                       // writes this one of the request's images only; -1: all
  std::string save_latents;                  // safetensors file for the final latents; empty: none
  std::string heat_maps;                     // PNG file, one for each word of the prompt; empty: none
  std::string preview;                       // PNG file, rewritten as the picture emerges; empty: none
  int preview_every = 5;                     // steps between two previews
  ProgressMode progress = ProgressMode::kAuto;
};

// Checks that the outputs can be written, loads the model, makes the pictures, writes them and says where they are.
// Throws Error and UsageError. No partial file remains in any case.
void render(const RenderJob& job, Output& output);

// "float32", "bfloat16", "float16"; throws UsageError for another text.
Precision parse_precision(const std::string& text);
std::string precision_name(Precision precision);

}  // namespace fjord::cli
