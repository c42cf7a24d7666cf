#include "loading/tokenizer_source.h"

#include "core/check.h"
#include "loading/json_text.h"
#include "loading/source.h"

#include <zlib.h>

#include <filesystem>
#include <string_view>
#include <vector>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxFile = std::uint64_t{16} << 20;
constexpr size_t kMaxMerges = 49152 - 256 - 2;
constexpr const char* kNames[] = {"tokenizer.json",          "vocab.json",       "merges.txt", "tokenizer_config.json",
                                  "special_tokens_map.json", "added_tokens.json"};

std::string gunzip(const std::string& packed, const std::string& where) {
  z_stream stream{};
  check(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, ErrorCode::kInternal, "zlib does not start");
  std::string text(kMaxFile, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  const int result = inflate(&stream, Z_FINISH);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  check(result == Z_STREAM_END, ErrorCode::kBadFile, where, ": expected a whole gzip file of at most ", kMaxFile,
        " bytes of text");
  return text;
}

std::string utf8(unsigned code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
}

// A letter for every byte: itself where it is visible, else one from 256 on. Order: the visible ones first.
std::vector<std::string> byte_letters() {
  std::vector<std::string> letters;
  const auto visible = [](unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD && byte <= 0xFF);
  };
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (visible(byte)) letters.push_back(utf8(byte));
  }
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!visible(byte)) letters.push_back(utf8(next++));
  }
  return letters;
}

std::string_view next_line(std::string_view& rest) {
  const auto length = rest.find('\n');
  auto line = rest.substr(0, length);
  rest.remove_prefix(length == std::string_view::npos ? rest.size() : length + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

TokenizerFiles read_files(const Source& folder, const std::string& prefix) {
  TokenizerFiles files;
  for (const char* name : kNames) {
    if (folder.exists(prefix + name)) files.emplace(name, read_text(folder, prefix + name, kMaxFile));
  }
  return files;
}

TokenizerFiles read_folder(const std::string& path) {
  const auto folder = open_folder(path);
  for (const char* prefix : {"", "tokenizer/", "tokenizer_2/"}) {
    auto files = read_files(*folder, prefix);
    if (files.contains("tokenizer.json") || files.contains("vocab.json")) return files;
  }
  fail(ErrorCode::kNotFound, "there is no tokenizer in ", fjord::quoted(path, 300),
       ": expected tokenizer.json, or vocab.json with merges.txt, there or in its folder tokenizer");
}

}  // namespace

TokenizerFiles tokenizer_of_merges(const std::string& text) {
  std::string_view rest = text;
  next_line(rest);
  std::vector<std::string> tokens = byte_letters();
  for (size_t i = 0; i < 256; ++i) tokens.push_back(tokens[i] + "</w>");
  std::string merges = "#version: 0.2\n";
  for (size_t count = 0; count < kMaxMerges && !rest.empty(); ++count) {
    const auto line = next_line(rest);
    const auto space = line.find(' ');
    if (space == std::string_view::npos && rest.empty()) break;  // an empty last line
    check(space != std::string_view::npos, ErrorCode::kBadFile, "list of merges, line ", count + 2,
          ": expected two tokens with a space between them, got ", fjord::quoted(line));
    tokens.push_back(std::string(line.substr(0, space)) + std::string(line.substr(space + 1)));
    merges.append(line).push_back('\n');
  }
  tokens.insert(tokens.end(), {"<|startoftext|>", "<|endoftext|>"});
  Json vocabulary = Json::object();
  for (size_t id = 0; id < tokens.size(); ++id) vocabulary[tokens[id]] = id;
  check(vocabulary.size() == tokens.size(), ErrorCode::kBadFile, "list of merges: two of them give the same token");
  const Json config{{"tokenizer_class", "CLIPTokenizer"}, {"model_max_length", 77},
                    {"bos_token", "<|startoftext|>"},     {"eos_token", "<|endoftext|>"},
                    {"unk_token", "<|endoftext|>"},       {"pad_token", "<|endoftext|>"}};
  return {{"vocab.json", vocabulary.dump(-1, ' ', false, Json::error_handler_t::replace)},
          {"merges.txt", merges},
          {"tokenizer_config.json", config.dump(2)}};
}

TokenizerFiles tokenizer_at(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return read_folder(path);
  const auto file = open_file(path);
  check(file->size() <= kMaxFile, ErrorCode::kBadFile, fjord::quoted(path, 300), ": expected at most ", kMaxFile,
        " bytes, got ", file->size());
  std::string text(file->size(), '\0');
  file->read_at(0, std::as_writable_bytes(std::span(text)));
  if (text.starts_with("\x1f\x8b")) text = gunzip(text, fjord::quoted(path, 300));
  check(text.starts_with("\"bpe_simple_vocab") || text.starts_with("#version"), ErrorCode::kBadFile,
        fjord::quoted(path, 300), ": expected a tokenizer's folder, or OpenCLIP's list of merges");
  return tokenizer_of_merges(text);
}

TokenizerFiles with_pad(TokenizerFiles files, const std::string& pad) {
  for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
    const auto file = files.find(name);
    if (file == files.end()) continue;
    auto json = parse_json_object(file->second, name, {kMaxFile, 64});
    json["pad_token"] = pad;
    file->second = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  if (!files.contains("tokenizer_config.json")) {
    files["tokenizer_config.json"] = Json{{"tokenizer_class", "CLIPTokenizer"}, {"pad_token", pad}}.dump(2) + "\n";
  }
  return files;
}

}  // namespace fjord::loading
