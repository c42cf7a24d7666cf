#include "loading/safetensors_header.h"

#include "core/check.h"
#include "loading/json_text.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;

constexpr char kPickle[] =
    "a Python pickle (.ckpt, .pt, .bin), which fjord never opens; convert it in Python: diffusers' "
    "from_single_file(FILE).save_pretrained(FOLDER)";
constexpr char kZip[] =
    "a ZIP archive with a Python pickle (.ckpt, .pt, .bin), which fjord never opens; convert it in Python: diffusers' "
    "from_single_file(FILE).save_pretrained(FOLDER)";
constexpr int kMaxDepth = 4;  // header, tensor, list
constexpr size_t kMaxDimensions = 8;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 48;

const std::array kDtypes{
    DtypeName{"F32", 32, at::kFloat},  DtypeName{"F16", 16, at::kHalf}, DtypeName{"BF16", 16, at::kBFloat16},
    DtypeName{"F64", 64, at::kDouble}, DtypeName{"I64", 64, at::kLong}, DtypeName{"I32", 32, at::kInt},
    DtypeName{"I16", 16, at::kShort},  DtypeName{"I8", 8, at::kChar},   DtypeName{"U8", 8, at::kByte},
    DtypeName{"BOOL", 8, at::kBool},   DtypeName{"U16", 16, {}},        DtypeName{"U32", 32, {}},
    DtypeName{"U64", 64, {}},          DtypeName{"C64", 64, {}},        DtypeName{"F8_E4M3", 8, {}},
    DtypeName{"F8_E5M2", 8, {}},       DtypeName{"F8_E8M0", 8, {}},     DtypeName{"F6_E2M3", 6, {}},
    DtypeName{"F6_E3M2", 6, {}},       DtypeName{"F4", 4, {}},
};

// Where a rule was broken, and the way to say so.
struct Place {
  const std::string& file;
  std::string tensor;

  template <typename... Parts>
  void require(bool condition, const Parts&... parts) const {
    if (condition) return;
    fail(ErrorCode::kBadFile, fjord::quoted(file, 300), ", tensor ", fjord::quoted(tensor), ": expected ", parts...);
  }
};

std::uint64_t read_size(const Json& value, const Place& place, const char* what) {
  place.require(value.is_number_unsigned() && value.get<std::uint64_t>() <= kMaxSize, what,
                " as integers from 0 to 2^48, got ", fjord::quoted(value.dump(), 60));
  return value.get<std::uint64_t>();
}

const Json& member(const Json& entry, const char* key, const Place& place) {
  const auto found = entry.find(key);
  place.require(found != entry.end(), "the key ", key, ", which is missing");
  return *found;
}

// Bytes that a tensor of this shape takes; every step is checked against overflow.
std::uint64_t byte_size(const TensorEntry& entry, const DtypeName& dtype, const Place& place) {
  std::uint64_t bits = dtype.bits;
  const bool empty = std::find(entry.shape.begin(), entry.shape.end(), 0) != entry.shape.end();
  if (empty) return 0;
  for (const auto size : entry.shape) {
    place.require(bits <= (kMaxSize * 8) / static_cast<std::uint64_t>(size), "at most 2^48 bytes, got more");
    bits *= static_cast<std::uint64_t>(size);
  }
  place.require(bits % 8 == 0, "a whole number of bytes, got ", bits, " bits");
  return bits / 8;
}

TensorEntry read_entry(const Json& json, const Place& place, std::uint64_t data_begin) {
  place.require(json.is_object() && json.size() == 3, "an object with dtype, shape and data_offsets, got ",
                fjord::quoted(json.dump(-1, ' ', true, Json::error_handler_t::replace), 60));
  const auto& dtype_value = member(json, "dtype", place);
  const auto& shape = member(json, "shape", place);
  const auto& offsets = member(json, "data_offsets", place);
  place.require(dtype_value.is_string(), "dtype as text, got ", dtype_value.type_name());
  TensorEntry entry;
  entry.dtype = dtype_value.get<std::string>();
  const auto* dtype = find_dtype(entry.dtype);
  place.require(dtype != nullptr, "a dtype of the format, got ", fjord::quoted(entry.dtype, 40));
  entry.type = dtype->type;
  place.require(shape.is_array() && shape.size() <= kMaxDimensions, "shape as a list of at most 8 sizes");
  for (const auto& size : shape) entry.shape.push_back(static_cast<std::int64_t>(read_size(size, place, "sizes")));
  place.require(offsets.is_array() && offsets.size() == 2, "data_offsets as a list of two numbers");
  const auto begin = read_size(offsets[0], place, "data_offsets");
  const auto end = read_size(offsets[1], place, "data_offsets");
  const auto needed = byte_size(entry, *dtype, place);
  place.require(begin <= end && end - begin == needed, needed, " bytes for its shape and dtype, got data_offsets ",
                begin, " to ", end);
  entry.begin = data_begin + begin;
  entry.end = data_begin + end;
  return entry;
}

// The tensors' bytes must follow each other without hole or overlap up to the end of the file.
void check_layout(const std::map<std::string, TensorEntry>& tensors, const std::string& file, std::uint64_t data_begin,
                  std::uint64_t file_size) {
  std::vector<std::pair<const std::string*, const TensorEntry*>> order;
  for (const auto& [name, entry] : tensors) order.emplace_back(&name, &entry);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->begin, a.second->end) < std::pair(b.second->begin, b.second->end);
  });
  auto expected = data_begin;
  for (const auto& [name, entry] : order) {
    Place{file, *name}.require(entry->begin == expected, "its data to begin at byte ", expected - data_begin,
                               entry->begin < expected ? ", got an overlap from byte " : ", got a hole before byte ",
                               entry->begin - data_begin);
    expected = entry->end;
  }
  check(file_size >= expected, ErrorCode::kBadFile, fjord::quoted(file, 300), " is truncated: its header needs ",
        expected, " bytes, the file has ", file_size);
  check(file_size == expected, ErrorCode::kBadFile, fjord::quoted(file, 300), " has ", file_size - expected,
        " bytes after its last tensor, expected none");
}

void read_metadata(const Json& json, const std::string& file, std::map<std::string, std::string>& out) {
  bool good = json.is_object();
  for (auto item = json.begin(); good && item != json.end(); ++item) {
    good = item->is_string();
    if (good) out.emplace(item.key(), item->get<std::string>());
  }
  check(good, ErrorCode::kBadFile, fjord::quoted(file, 300), ": expected __metadata__ as an object of texts");
}

}  // namespace

const DtypeName* find_dtype(std::string_view name) {
  const auto found = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const auto& d) { return d.name == name; });
  return found == kDtypes.end() ? nullptr : &*found;
}

const DtypeName* find_dtype(at::ScalarType type) {
  const auto found = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const auto& d) { return d.type == type; });
  return found == kDtypes.end() ? nullptr : &*found;
}

SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file, std::uint64_t data_begin,
                                           std::uint64_t file_size) {
  const auto last = text.find_last_not_of(' ');
  check(text.starts_with('{') && last != std::string_view::npos && text[last] == '}', ErrorCode::kBadFile,
        fjord::quoted(file, 300), ": expected a header that is one JSON object, padded with spaces");
  const auto json = parse_json_object(text, fjord::quoted(file, 300) + ", header", {text.size(), kMaxDepth});
  SafetensorsHeader header;
  for (auto item = json.begin(); item != json.end(); ++item) {
    if (item.key() == "__metadata__") {
      read_metadata(*item, file, header.metadata);
      continue;
    }
    const Place place{file, item.key()};
    place.require(item.key().find('\0') == std::string::npos, "a name without NUL bytes");
    header.tensors.emplace(item.key(), read_entry(*item, place, data_begin));
  }
  check_layout(header.tensors, file, data_begin, file_size);
  return header;
}

std::string safetensors_head(const std::map<std::string, TensorEntry>& tensors,
                             const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  for (const auto& [name, entry] : tensors) {
    header[name] = {{"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
  }
  auto text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the data are aligned
  const std::uint64_t length = text.size();
  std::string head(sizeof length, '\0');
  std::memcpy(head.data(), &length, sizeof length);
  return head + text;
}

void refuse_other_formats(std::string_view first_bytes, const std::string& file) {
  struct Format {
    std::string_view magic;
    const char* advice;
  };
  constexpr std::array kFormats{
      Format{"PK\x03\x04", kZip},
      Format{"\x80\x02", kPickle},
      Format{"\x80\x03", kPickle},
      Format{"\x80\x04", kPickle},
      Format{"\x80\x05", kPickle},
      Format{"GGUF",
             "a GGUF file, quantized for another program; it cannot be converted without loss, so take the safetensors "
             "file that it was made of (fjord quantize makes a smaller model)"},
      Format{"version https://git-lfs", "a Git LFS pointer; download the real file (git lfs pull)"},
      Format{"<!DOCTYPE", "a web page, probably of a failed download"},
      Format{"<html", "a web page, probably of a failed download"},
      Format{"\x1f\x8b", "a gzip archive; unpack it first"},
  };
  // A short header's length may begin as a pickle does: 0x280 bytes.
  using namespace std::string_view_literals;
  if (first_bytes.size() > 8 && first_bytes.substr(4, 5) == "\0\0\0\0{"sv) return;
  for (const auto& format : kFormats) {
    check(!first_bytes.starts_with(format.magic), ErrorCode::kUnsupported, fjord::quoted(file, 300),
          " is no safetensors file but ", format.advice);
  }
}

}  // namespace fjord::loading
