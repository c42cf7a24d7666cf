#include "loading/quantize_folder.h"

#include "core/check.h"
#include "core/files.h"
#include "loading/config_json.h"
#include "loading/json_text.h"
#include "loading/quantize_weights.h"

#include <unistd.h>
#include <filesystem>

namespace fjord::loading {
namespace {

namespace fs = std::filesystem;

constexpr char kStem[] = "diffusion_pytorch_model";
constexpr std::uint64_t kMaxConfigSize = std::uint64_t{1} << 20;

[[noreturn]] void cannot_write(const fs::path& path, const std::error_code& error) {
  fail(ErrorCode::kCannotWrite, fjord::quoted(path.string()), ": ", error.message());
}

// A new folder that is removed with all in it, unless it is put into its place.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& place)
      : place_(place), path_(place.string() + ".partial-" + std::to_string(::getpid())) {
    std::error_code error;
    check(!fs::exists(fs::symlink_status(place, error)), ErrorCode::kCannotWrite, fjord::quoted(place.string()),
          " exists already");
    if (!fs::create_directory(path_, error)) cannot_write(path_, error);
  }
  ~NewFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const fs::path& path() const { return path_; }
  void put_into_place() {
    std::error_code error;
    fs::rename(path_, place_, error);
    if (error) cannot_write(place_, error);
    path_.clear();
  }

 private:
  fs::path place_, path_;
};

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto way = fs::weakly_canonical(path).lexically_relative(fs::weakly_canonical(folder));
  return !way.empty() && *way.begin() != "..";
}

bool is_weights_file(const fs::path& path) {
  const auto name = path.filename().string();
  return name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json") || name.ends_with(".bin") ||
         name.ends_with(".msgpack");
}

// Everything but the U-Net's weights. Links are followed; other than files and folders is left out.
void copy_others(const fs::path& from, const fs::path& to, bool is_unet) {
  std::error_code error;
  fs::create_directories(to, error);
  if (error) cannot_write(to, error);
  for (const auto& entry : fs::directory_iterator(from, error)) {
    const auto target = to / entry.path().filename();
    if (entry.is_directory()) {
      copy_others(entry.path(), target, entry.path().filename() == "unet");
    } else if (entry.is_regular_file() && !(is_unet && is_weights_file(entry.path()))) {
      fs::copy_file(entry.path(), target, error);
      if (error) cannot_write(target, error);
    }
  }
  check(!error, ErrorCode::kBadFile, fjord::quoted(from.string()), ": ", error.message());
}

// `config` with a note of what was done.
void write_config(nlohmann::json config, const fs::path& folder, bool round_inputs) {
  config["quantization_config"] = {
      {"quant_method", "fjord"}, {"weights", "int8"}, {"inputs", round_inputs ? "int8" : "unchanged"}};
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
                               const QuantizeOptions& options) {
  const auto source = open_folder(source_path);
  const auto config = read_text(*source, "unet/config.json", kMaxConfigSize);
  const auto where = source->describe("unet/config.json");
  read_unet_config(config, where);  // throws if this is no U-Net of ours
  const Checkpoint checkpoint(*source, "unet", kStem);
  check(!is_below(destination, source_path), ErrorCode::kCannotWrite, fjord::quoted(destination),
        " lies in the model folder that is to be copied");
  NewFolder folder(destination);
  const auto weights =
      quantize_weights(checkpoint, options.keep.value_or(parts_to_keep(checkpoint.names())), [&](int done, int total) {
        check(!options.progress || options.progress(done, total), ErrorCode::kCancelled, "cancelled after ", done,
              " of ", total, " tensors");
      });
  copy_others(source_path, folder.path(), /*is_unet=*/false);
  write_config(parse_json_object(config, where), folder.path(), options.round_inputs);
  write_safetensors((folder.path() / "unet" / (std::string(kStem) + ".safetensors")).string(), weights.tensors);
  folder.put_into_place();
  return {weights.quantized, weights.kept, size_of(checkpoint), size_of(weights)};
}

}  // namespace fjord::loading
