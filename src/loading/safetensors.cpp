#include "loading/safetensors.h"

#include "core/check.h"
#include "core/files.h"
#include "loading/safetensors_header.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace fjord::loading {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data are little-endian");

constexpr std::uint64_t kLengthSize = 8;
constexpr std::uint64_t kChunkSize = std::uint64_t{1} << 20;

std::string read_head(const File& file, std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  file.read_at(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::span<std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

}  // namespace

Safetensors::Safetensors(std::unique_ptr<File> file, const SafetensorsLimits& limits) : file_(std::move(file)) {
  const auto size = file_->size();
  refuse_other_formats(read_head(*file_, 0, std::min<std::uint64_t>(size, 32)), name());
  check(size > kLengthSize, ErrorCode::kBadFile, fjord::quoted(name(), 300), ": expected a safetensors file, got only ",
        size, " bytes");
  std::uint64_t length = 0;
  std::memcpy(&length, read_head(*file_, 0, kLengthSize).data(), kLengthSize);
  check(length <= size - kLengthSize, ErrorCode::kBadFile, fjord::quoted(name(), 300), ": its header should be ",
        length, " bytes long, the file has ", size, " (no safetensors file, or truncated)");
  check(length <= limits.header_size, ErrorCode::kBadFile, fjord::quoted(name(), 300),
        ": expected a header of at most ", limits.header_size, " bytes, got ", length);
  auto header = parse_safetensors_header(read_head(*file_, kLengthSize, length), name(), kLengthSize + length, size);
  tensors_ = std::move(header.tensors);
  metadata_ = std::move(header.metadata);
}

void Safetensors::read_into(const TensorEntry& entry, const std::string& tensor_name, at::Tensor& destination) const {
  check(entry.type.has_value(), ErrorCode::kUnsupported, fjord::quoted(name(), 300), ", tensor ",
        fjord::quoted(tensor_name), " has dtype ", entry.dtype, ", which fjord cannot use");
  const auto element = at::elementSize(*entry.type);
  check((entry.end - entry.begin) / element == static_cast<std::uint64_t>(destination.numel()), ErrorCode::kInternal,
        "tensor ", fjord::quoted(tensor_name), " has another number of elements than its destination");
  auto flat = destination.view({-1});
  if (destination.is_cpu() && flat.scalar_type() == *entry.type) return file_->read_at(entry.begin, bytes_of(flat));
  const auto chunk = static_cast<std::int64_t>(kChunkSize / element);
  const auto buffer = at::empty({std::min(chunk, flat.numel())}, *entry.type);
  for (std::int64_t done = 0; done < flat.numel(); done += chunk) {
    const auto count = std::min(chunk, flat.numel() - done);
    const auto part = buffer.narrow(0, 0, count);
    file_->read_at(entry.begin + static_cast<std::uint64_t>(done) * element, bytes_of(part));
    flat.narrow(0, done, count).copy_(part);
  }
}

void write_safetensors(const std::string& path, const std::map<std::string, at::Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::map<std::string, TensorEntry> entries;
  std::vector<at::Tensor> data;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto* dtype = find_dtype(tensor.scalar_type());
    check(dtype != nullptr, ErrorCode::kUnsupported, "tensor ", fjord::quoted(name), ": safetensors has no dtype for ",
          at::toString(tensor.scalar_type()));
    data.push_back(tensor.to(at::kCPU).contiguous());
    const auto end = offset + data.back().nbytes();
    entries[name] = {std::string(dtype->name), tensor.scalar_type(), tensor.sizes().vec(), offset, end};
    offset = end;
  }
  const auto head = safetensors_head(entries, metadata);
  write_file_atomically(path, [&](int fd) {
    write_all(fd, head.data(), head.size(), path);
    for (const auto& tensor : data) write_all(fd, tensor.const_data_ptr(), tensor.nbytes(), path);
  });
}

}  // namespace fjord::loading
