#include "cli/guidance_options.h"

#include "cli/exit_codes.h"
#include "cli/option_readers.h"
#include "cli/output.h"

namespace fjord::cli {
namespace {

ReadOption free_u_into(FreeU& target) {
  return [&target](const std::string& option, const std::string& text) {
    const auto factors = parse_reals(option, text);
    if (factors.size() != 4) throw UsageError(option + ": expected four numbers S1,S2,B1,B2, got " + in_quotes(text));
    target = {factors[0], factors[1], factors[2], factors[3]};
  };
}

}  // namespace

void add_guidance_options(CommandOptions& options, Guidance& guidance) {
  options.parsed("--guidance-schedule", "A,B,...",
                 "Guidance scales from the first evaluation to the last, joined by straight lines; replaces --guidance",
                 [&guidance](const std::string& option, const std::string& text) {
                   guidance.schedule = parse_reals(option, text);
                 });
  options.parsed("--mimic-scale", "M",
                 "Dynamic thresholding of latents: keep the range that guidance scale M would give (default: 0, off)",
                 real_into(guidance.mimic_scale));
  options.parsed("--mimic-percentile", "P", "The share of the values that range must hold, to 1 (default: 1)",
                 real_into(guidance.mimic_percentile));
  options.parsed("--pag-scale", "S",
                 "Perturbed-attention guidance; one evaluation more of the network a step (default: 0, off)",
                 real_into(guidance.perturbed_scale));
  options.parsed("--pag-adaptive-scale", "A", "How much that scale falls for every timestep below 1000 (default: 0)",
                 real_into(guidance.perturbed_adaptive_scale));
  options.parsed(
      "--pag-layers", "NAME,...", "The self-attention layers to perturb, by parts of their names (default: mid)",
      [&guidance](const std::string&, const std::string& text) { guidance.perturbed_layers = split_names(text); });
  options.parsed("--freeu", "S1,S2,B1,B2",
                 "FreeU factors of skip connections and backbone, e.g. 0.9,0.2,1.2,1.4 (default: 1,1,1,1, off)",
                 free_u_into(guidance.free_u));
  options.parsed("--image-guidance", "G",
                 "How strongly the picture steers a model that changes it, on from 1 (default: 1.5)",
                 real_into(guidance.image_scale));
}

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  size_t begin = 0;
  for (size_t end = text.find(','); end != std::string::npos; end = text.find(',', begin)) {
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  names.push_back(text.substr(begin));
  return names;
}

std::string join_names(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) text += (i == 0 ? "" : ",") + names[i];
  return text;
}

}  // namespace fjord::cli
