#include "cli/model_files_options.h"

#include "cli/exit_codes.h"
#include "cli/output.h"

namespace fjord::cli {

void add_model_files_options(CommandOptions& options, ModelFiles& files) {
  options.text("--vae", "PATH", "VAE from another folder or safetensors file", files.vae);
  options.text("--variant", "NAME", "Weights of this variant come first in a folder, for example fp16", files.variant);
  options.text("--tokenizer", "PATH",
               "CLIP's tokenizer for a single file: a model folder, a tokenizer's folder, or OpenCLIP's "
               "bpe_simple_vocab_16e6.txt.gz",
               files.tokenizer);
  options.text("--prediction-type", "NAME",
               "What the U-Net predicts: epsilon, v_prediction or sample (default: what the model says)",
               files.prediction_type);
  options.parsed("--zero-terminal-snr", "YES|NO",
                 "The last training step was pure noise: rescale the schedule (default: what the model says)",
                 [&files](const std::string& option, const std::string& text) {
                   if (text != "yes" && text != "no") {
                     throw UsageError(option + " must be yes or no, got " + in_quotes(text));
                   }
                   files.zero_terminal_snr = text == "yes";
                 });
  options.flag("--skip-unknown", "Leave out a single file's tensors that belong to no part of the model",
               files.skip_unknown);
}

}  // namespace fjord::cli
