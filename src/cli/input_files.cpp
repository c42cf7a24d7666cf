#include "cli/input_files.h"

#include "cli/exit_codes.h"
#include "cli/fingerprint.h"
#include "cli/output.h"

namespace fjord::cli {

void note_fingerprint(InputFile& file) {
  const auto actual = model_fingerprint(file.path);
  if (!file.fingerprint.empty() && file.fingerprint != actual) {
    warn("the file " + in_quotes(file.path) + " is not the one of the first time (fingerprint " + file.fingerprint +
         " then, " + actual + " now), so the picture may differ");
  }
  file.fingerprint = actual;
}

void read_input_files(InputFiles& files, Request& request) {
  for (auto& file : files.images) {
    request.image_input.images.push_back(read_png(file.path));
    note_fingerprint(file);
  }
  if (files.mask.path.empty()) return;
  request.image_input.inpaint.mask = read_png_mask(files.mask.path, files.mask_source);
  note_fingerprint(files.mask);
}

MaskSource parse_mask_source(const std::string& text) {
  if (text == "luma") return MaskSource::kLuma;
  if (text == "erased") return MaskSource::kErased;
  throw UsageError("--mask-from: expected luma or erased, got " + in_quotes(text));
}

std::string mask_source_name(MaskSource source) { return source == MaskSource::kLuma ? "luma" : "erased"; }

}  // namespace fjord::cli
