#include "loading/quantize_folder.h"

#include "config/int4.h"
#include "core/check.h"
#include "core/files.h"
#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/new_folder.h"
#include "loading/quantize_weights.h"

#include <filesystem>

namespace fjord::loading {
namespace {

namespace fs = std::filesystem;

constexpr char kStem[] = "diffusion_pytorch_model";
constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;

bool is_weights_file(const fs::path& path) {
  const auto name = path.filename().string();
  return name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json") || name.ends_with(".bin") ||
         name.ends_with(".msgpack");
}

// Everything but the U-Net's weights. Links are followed; other than files and folders is left out.
void copy_others(const fs::path& from, const fs::path& to, bool is_unet) {
  make_folders(to);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(from, error)) {
    const auto target = to / entry.path().filename();
    if (entry.is_directory()) {
      copy_others(entry.path(), target, entry.path().filename() == "unet");
    } else if (entry.is_regular_file() && !(is_unet && is_weights_file(entry.path()))) {
      fs::copy_file(entry.path(), target, error);
      check(!error, ErrorCode::kCannotWrite, fjord::quoted(target.string()), ": ", error.message());
    }
  }
  check(!error, ErrorCode::kBadFile, fjord::quoted(from.string()), ": ", error.message());
}

// The options with every choice made.
QuantizeOptions checked(QuantizeOptions options) {
  check(options.bits == 8 || options.bits == 4, ErrorCode::kInvalidArgument, "weights can have 8 or 4 bits, got ",
        options.bits);
  options.round_inputs = options.round_inputs.value_or(options.bits == 8);
  check(options.bits == 8 || !*options.round_inputs, ErrorCode::kInvalidArgument,
        "inputs are rounded only with weights of 8 bits");
  return options;
}

// `config` with a note of what was done.
void write_config(nlohmann::json config, const fs::path& folder, const QuantizeOptions& options) {
  auto& note = config["quantization_config"] = {{"quant_method", "fjord"}};
  note["weights"] = options.bits == 4 ? "int4" : "int8";
  note["inputs"] = *options.round_inputs ? "int8" : "unchanged";
  if (options.bits == 4) note["group_size"] = std::to_string(config::kInt4Group);
  const auto path = (folder / "unet/config.json").string();
  const auto text = config.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  write_file_atomically(path, [&](int fd) { write_all(fd, text.data(), text.size(), path); });
}

std::uint64_t size_of(const Checkpoint& checkpoint) {
  std::uint64_t bytes = 0;
  for (const auto& name : checkpoint.names()) bytes += checkpoint.find(name)->end - checkpoint.find(name)->begin;
  return bytes;
}

std::uint64_t size_of(const QuantizedWeights& weights) {
  std::uint64_t bytes = 0;
  for (const auto& [name, tensor] : weights.tensors) bytes += tensor.nbytes();
  return bytes;
}

}  // namespace

QuantizeReport quantize_folder(const std::string& source_path, const std::string& destination,
                               const QuantizeOptions& wishes) {
  const auto options = checked(wishes);
  const auto source = open_folder(source_path);
  const auto config = read_text(*source, "unet/config.json", kMaxConfigSize);
  const auto where = source->describe("unet/config.json");
  read_unet_config(config, where);  // throws if this is no U-Net of ours
  const Checkpoint checkpoint(*source, "unet", kStem);
  check_not_below(destination, source_path);
  NewFolder folder(destination);
  const WeightBits bits{options.bits, options.keep.value_or(parts_to_keep(checkpoint.names()))};
  const auto weights = quantize_weights(checkpoint, bits, [&](int done, int total) {
    check(!options.progress || options.progress(done, total), ErrorCode::kCancelled, "cancelled after ", done, " of ",
          total, " tensors");
  });
  copy_others(source_path, folder.path(), /*is_unet=*/false);
  write_config(parse_json_object(config, where), folder.path(), options);
  write_safetensors(concat(folder.path().string(), "/unet/", kStem, ".safetensors"), weights.tensors);
  folder.put_into_place();
  return {weights.quantized, weights.kept, size_of(checkpoint), size_of(weights)};
}

}  // namespace fjord::loading
