#include "cli/prompting_options.h"

#include "cli/exit_codes.h"
#include "cli/numbers.h"
#include "cli/option_readers.h"
#include "cli/output.h"

#include <array>
#include <string_view>

namespace fjord::cli {
namespace {

// Two integers with `separator` between them, "1024x768" or "0,64".
std::array<int, 2> parse_pair(const std::string& option, std::string_view text, char separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) {
    throw UsageError(option + ": expected two numbers with " + in_quotes(std::string(1, separator)) + " between, got " +
                     in_quotes(std::string(text)));
  }
  return {parse_integer(option, text.substr(0, at), 0), parse_integer(option, text.substr(at + 1), 0)};
}

ReadOption pair_into(char separator, std::function<PictureSizes&()> sizes, int PictureSizes::*first,
                     int PictureSizes::*second) {
  return [=](const std::string& option, const std::string& text) {
    const auto pair = parse_pair(option, text, separator);
    sizes().*first = pair[0];
    sizes().*second = pair[1];
  };
}

void add_sizes(CommandOptions& options, const std::string& prefix, const std::string& whose,
               const std::function<PictureSizes&()>& sizes) {
  options.parsed("--" + prefix + "original-size", "WxH", "Size" + whose + " told to models that know it",
                 pair_into('x', sizes, &PictureSizes::original_width, &PictureSizes::original_height));
  options.parsed("--" + prefix + "crop", "LEFT,TOP", "Crop" + whose + ", likewise (default: 0,0)",
                 pair_into(',', sizes, &PictureSizes::crop_left, &PictureSizes::crop_top));
  options.parsed("--" + prefix + "target-size", "WxH", "Target size" + whose + ", likewise (default: the picture's)",
                 pair_into('x', sizes, &PictureSizes::target_width, &PictureSizes::target_height));
}

void add_micro_options(CommandOptions& options, MicroConditions& micro) {
  add_sizes(options, "", "", [&micro]() -> PictureSizes& { return micro.sizes; });
  add_sizes(options, "negative-", " for the branch without the prompt", [&micro]() -> PictureSizes& {
    return micro.negative_sizes ? *micro.negative_sizes : micro.negative_sizes.emplace();
  });
  const auto score_into = [](double& target) {
    return [&target](const std::string& option, const std::string& text) { target = parse_real(option, text); };
  };
  options.parsed("--aesthetic-score", "S", "0 to 10, told to refiners (default: 6)", score_into(micro.aesthetic_score));
  options.parsed("--negative-aesthetic-score", "S", "For the branch without the prompt (default: 2.5)",
                 score_into(micro.negative_aesthetic_score));
}

void add_reproduction_options(CommandOptions& options, Reproduction& reproduction) {
  options.parsed("--noise-source", "NAME", "cpu or cuda: whose random numbers a seed stands for (default: cpu)",
                 choice_into(reproduction.noise, kNoiseSourceNames));
  options.parsed(
      "--sigma-grid", "NAME",
      "scheduler, a1111 or comfyui: noise levels and timesteps; the others are for EulerDiscreteScheduler and "
      "DPMSolverMultistepScheduler (default: scheduler)",
      choice_into(reproduction.sigmas, kSigmaGridNames));
  options.parsed("--rounding", "NAME", "nearest or truncate: how pixels become whole numbers (default: nearest)",
                 choice_into(reproduction.rounding, kRoundingNames));
}

}  // namespace

void add_preset_option(CommandOptions& options, Request& request) {
  options.parsed(
      "--preset", "NAME",
      "diffusers, a1111 or comfyui: whose picture this shall be; sets prompt syntax, noise, noise levels and "
      "rounding (default: diffusers)",
      [&request](const std::string& option, const std::string& text) {
        Preset preset{};
        choice_into(preset, kPresetNames)(option, text);
        apply_preset(preset, request);
      });
}

void add_prompting_options(CommandOptions& options, Request& request) {
  auto& prompting = request.prompting;
  options.text("--prompt-2", "TEXT", "For the second text encoder (default: as --prompt)", prompting.prompt_2);
  options.text("--negative-2", "TEXT", "Likewise (default: as --negative)", prompting.negative_prompt_2);
  options.parsed("--prompt-syntax", "NAME",
                 "plain, a1111 or comfyui: weights such as (a:1.2), and prompts of any length (default: plain)",
                 choice_into(prompting.syntax, kPromptSyntaxNames));
  options.parsed("--clip-skip", "N", "Leave out the last N layers of the text encoder (default: 0)",
                 [&prompting](const std::string& option, const std::string& text) {
                   prompting.clip_skip = parse_integer(option, text, 0);
                 });
  options.parsed("--empty-negative", "NAME",
                 "Without --negative: model (as the model folder says), encode or zeros (default: model)",
                 choice_into(prompting.empty_negative, kEmptyNegativeNames));
  add_micro_options(options, request.micro);
  options.parsed("--denoising-range", "A,B",
                 "Walk this part of the way from noise (0) to picture (1); above 0 from --latents as they are "
                 "(default: 0,1)",
                 [&request](const std::string& option, const std::string& text) {
                   const auto ends = parse_reals(option, text);
                   if (ends.size() != 2)
                     throw UsageError(option + ": expected two numbers A,B, got " + in_quotes(text));
                   request.range = {ends[0], ends[1]};
                 });
  add_reproduction_options(options, request.reproduction);
}

}  // namespace fjord::cli
