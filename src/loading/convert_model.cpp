#include "loading/convert_model.h"

#include "core/check.h"
#include "core/files.h"
#include "loading/config_json.h"
#include "loading/new_folder.h"
#include "loading/open_model.h"
#include "loading/original/single_file.h"
#include "loading/original/to_single_file.h"
#include "loading/written_files.h"

#include <filesystem>
#include <utility>
#include <vector>

namespace fjord::loading {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxTextSize = std::uint64_t{16} << 20;
constexpr const char* kTexts[] = {
    "config.json", "scheduler_config.json",   "tokenizer_config.json", "tokenizer.json", "vocab.json",
    "merges.txt",  "special_tokens_map.json", "added_tokens.json"};

void change_precision(AssembledTensors& tensors, Precision precision) {
  switch (precision) {
    case Precision::kAuto: return;
    case Precision::kFloat32: return change_dtype(tensors, "F32");
    case Precision::kBFloat16: return change_dtype(tensors, "BF16");
    case Precision::kFloat16: return change_dtype(tensors, "F16");
  }
}

// Counts what is written and asks whether to go on.
class Counter {
 public:
  Counter(const ConvertOptions& options, std::uint64_t total) : options_(options), total_(total) {}
  void operator()(std::uint64_t bytes) {
    done_ = std::min(done_ + bytes, total_);
    check(!options_.progress || options_.progress(done_, total_), ErrorCode::kCancelled, "cancelled after ", done_,
          " of ", total_, " bytes");
  }

 private:
  const ConvertOptions& options_;
  std::uint64_t done_ = 0, total_;
};

void write_text(const fs::path& path, const std::string& text) {
  write_file_atomically(path.string(), [&](int fd) { write_all(fd, text.data(), text.size(), path.string()); });
}

// A part's configuration and tokenizer files.
void copy_texts(const Source& source, const std::string& part, const fs::path& folder) {
  make_folders(folder / part);
  for (const char* name : kTexts) {
    const auto path = part + "/" + name;
    if (source.exists(path)) write_text(folder / path, read_text(source, path, kMaxTextSize));
  }
}

// The files of a folder's weights, with the folder's name in front.
std::vector<WrittenFile> weights_of(const Source& source, const std::string& part, const ConvertOptions& options,
                                    std::vector<std::pair<std::string, std::string>>& indices) {
  for (const char* stem : {"diffusion_pytorch_model", "model"}) {
    if (!Checkpoint::exists(source, part, stem)) continue;
    auto tensors = tensors_of(Checkpoint(source, part, stem));
    change_precision(tensors, options.precision);
    auto [files, index] = split_into_shards(std::move(tensors), stem, options.shard_size);
    for (auto& file : files) file.name = part + "/" + file.name;
    if (!index.empty()) indices.emplace_back(part + "/" + stem + ".safetensors.index.json", index);
    return std::move(files);
  }
  return {};
}

void finish_report(ConvertReport& report, const std::vector<WrittenFile>& files) {
  for (const auto& file : files) {
    report.tensors += static_cast<int>(file.tensors.size());
    report.bytes += bytes_of(file.tensors);
  }
}

ConvertReport write_folder(const OpenedModel& model, const fs::path& destination, const ConvertOptions& options) {
  check_tokenizer(model);
  const auto& source = *model.source;
  const auto index_text = read_text(source, "model_index.json", kMaxTextSize);
  const auto index = read_model_index(index_text, source.describe("model_index.json"));
  ConvertReport report;
  report.is_folder = true;
  report.notes = model.notes;
  report.family = model.findings.front().second;
  std::vector<WrittenFile> files;
  std::vector<std::pair<std::string, std::string>> indices;
  for (const auto& [part, class_name] : index.components) {
    for (auto& file : weights_of(source, part, options, indices)) files.push_back(std::move(file));
  }
  finish_report(report, files);

  NewFolder folder(destination);
  write_text(folder.path() / "model_index.json", index_text);
  for (const auto& [part, class_name] : index.components) copy_texts(source, part, folder.path());
  for (const auto& [name, text] : indices) write_text(folder.path() / name, text);
  Counter counter(options, report.bytes);
  for (const auto& [name, tensors] : files) {
    write_assembled((folder.path() / name).string(), tensors, {{"format", "pt"}}, std::ref(counter));
  }
  folder.put_into_place();
  return report;
}

ConvertReport write_single_file(const Source& source, const std::string& destination, const ConvertOptions& options,
                                const std::function<void(const Source&)>& check_parts) {
  auto [family, tensors, metadata] = to_single_file(source);
  check_parts(*open_single_file(assemble("the single file", tensors, metadata), {}).source);
  change_precision(tensors, options.precision);
  ConvertReport report;
  report.family = family->name;
  report.notes.emplace_back("a single file holds no tokenizer, no class of scheduler and no default size");
  const std::vector<WrittenFile> files{{destination, tensors}};
  finish_report(report, files);
  std::error_code error;
  check(!fs::exists(fs::symlink_status(destination, error)), ErrorCode::kCannotWrite, fjord::quoted(destination),
        " exists already");
  Counter counter(options, report.bytes);
  write_assembled(destination, tensors, metadata, std::ref(counter));
  return report;
}

}  // namespace

ConvertReport convert_model(const std::string& source, const std::string& destination, const ConvertOptions& options,
                            const std::function<void(const Source&)>& check_parts) {
  const auto model = open_model(source, options.files);
  check_parts(*model.source);
  const bool is_folder = model.findings.empty();
  if (!is_folder) return write_folder(model, destination, options);
  check(options.shard_size == 0, ErrorCode::kInvalidArgument, "a single file cannot be split into shards");
  check_not_below(destination, source);
  return write_single_file(*model.source, destination, options, check_parts);
}

}  // namespace fjord::loading
