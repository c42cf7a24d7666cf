#include "cli/adapter_options.h"

#include "cli/exit_codes.h"
#include "cli/fingerprint.h"
#include "cli/numbers.h"
#include "cli/output.h"

#include <algorithm>
#include <utility>

namespace fjord::cli {
namespace {

// FILE, FILE:STRENGTH or FILE:UNET:TEXT.
AdapterFile parse_lora(const std::string& option, std::string text) {
  AdapterFile out;
  if (const auto last = take_number(text)) {
    out.unet = out.text = *last;
    if (const auto first = take_number(text)) out.unet = *first;
  }
  if (text.empty()) throw UsageError(option + ": expected FILE or FILE:STRENGTH");
  out.path = text;
  return out;
}

// FILE or TOKEN=FILE.
AdapterFile parse_embedding(const std::string& option, const std::string& text) {
  AdapterFile out;
  out.embedding = true;
  const auto equals = text.find('=');
  out.path = equals == std::string::npos ? text : text.substr(equals + 1);
  if (equals != std::string::npos) out.token = text.substr(0, equals);
  if (out.path.empty()) throw UsageError(option + ": expected FILE or TOKEN=FILE, got " + in_quotes(text));
  return out;
}

}  // namespace

void add_adapter_options(CommandOptions& options, AdapterFiles& files) {
  options.repeated("--lora", "FILE[:UNET[:TEXT]]",
                   "A LoRA, LoHa, LoKr or DoRA and its strength, 1 without; may be repeated",
                   [&files](const std::string& option, const std::string& text) {
                     files.files.push_back(parse_lora(option, text));
                   });
  options.repeated("--embedding", "[TOKEN=]FILE",
                   "A textual inversion, named as its file says or TOKEN in the prompt; may be repeated",
                   [&files](const std::string& option, const std::string& text) {
                     files.files.push_back(parse_embedding(option, text));
                   });
  options.flag("--fuse-lora", "Merge the LoRAs into the weights while loading: steps cost what they cost without",
               files.fuse);
}

void fuse_adapters(const AdapterFiles& files, LoadOptions& load) {
  for (const auto& file : files.files) {
    if (files.fuse && !file.embedding) load.adapters.push_back({file.path, file.unet, file.text});
  }
}

std::vector<AdapterUse> load_adapters(const AdapterFiles& files, const Pipeline& pipeline) {
  std::vector<AdapterUse> out;
  for (const auto& file : files.files) {
    if (file.embedding) {
      const auto tokens = file.token.empty() ? std::vector<std::string>() : std::vector{file.token};
      out.push_back({pipeline.load_embedding(file.path, tokens)});
    } else if (!files.fuse) {
      out.push_back({pipeline.load_adapter(file.path), file.unet, file.text});
    }
  }
  return out;
}

AdapterFiles with_fingerprints(AdapterFiles files) {
  for (auto& file : files.files) {
    const auto now = model_fingerprint(file.path);
    if (!file.fingerprint.empty() && file.fingerprint != now) {
      warn("the adapter " + in_quotes(file.path) + " is not the one of the first time (fingerprint " +
           file.fingerprint + " then, " + now + " now), so the picture may differ");
    }
    file.fingerprint = now;
  }
  return files;
}

}  // namespace fjord::cli
