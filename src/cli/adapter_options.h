// Adapters on the command line: --lora, --embedding and --fuse-lora.
#pragma once

#include "cli/command_line.h"

#include <fjord/pipeline.h>

#include <string>
#include <vector>

namespace fjord::cli {

// An adapter's file and what is asked of it.
struct AdapterFile {
  std::string path;
  double unet = 1.0;
  double text = 1.0;
  bool embedding = false;   // a textual inversion, without strengths
  std::string token;        // of a textual inversion; empty: as the file names it
  std::string fingerprint;  // of the file when the picture was first made; empty: not known
};

struct AdapterFiles {
  std::vector<AdapterFile> files;
  bool fuse = false;  // LoRAs become part of the model while it is loaded
};

// `files` must outlive the parsing.
void add_adapter_options(CommandOptions& options, AdapterFiles& files);

// Puts fused adapters into `load`.
void fuse_adapters(const AdapterFiles& files, LoadOptions& load);

// Loads the adapters that are not fused, for a request.
std::vector<AdapterUse> load_adapters(const AdapterFiles& files, const Pipeline& pipeline);

// The same list with the fingerprints of the files as they are now; a warning where one has changed.
AdapterFiles with_fingerprints(AdapterFiles files);

}  // namespace fjord::cli
