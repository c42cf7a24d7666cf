// The pictures that a request starts from and its mask, as files.
#pragma once

#include <fjord/request.h>

#include <string>
#include <vector>

namespace fjord::cli {

struct InputFile {
  std::string path;
  std::string fingerprint;  // model_fingerprint() of the file; empty: not known yet
};

struct InputFiles {
  std::vector<InputFile> images;
  InputFile mask;  // no path: none
  MaskSource mask_source = MaskSource::kLuma;
};

// Reads the files into the request and fills the fingerprints in; one that was known and is another now is a warning.
// Throws Error as read_png does.
void read_input_files(InputFiles& files, Request& request);

// Fills the fingerprint of a file (or model folder) in; a warning where it was known and is another now.
void note_fingerprint(InputFile& file);

// "luma", "erased"; throws UsageError for another text.
MaskSource parse_mask_source(const std::string& text);
std::string mask_source_name(MaskSource source);

}  // namespace fjord::cli
