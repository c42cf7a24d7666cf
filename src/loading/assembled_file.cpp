#include "loading/assembled_file.h"

#include "core/check.h"
#include "loading/safetensors_header.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace fjord::loading {
namespace {

std::uint64_t element_size(const std::string& dtype) { return find_dtype(dtype)->bits / 8; }

std::uint64_t element_count(const std::vector<std::int64_t>& shape) {
  std::uint64_t count = 1;
  for (const auto size : shape) count *= static_cast<std::uint64_t>(size);
  return count;
}

std::span<std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

// Some bytes of the assembled file and where they come from.
struct Segment {
  std::uint64_t begin = 0, end = 0;
  Piece piece;
  std::string dtype;
  bool transposed = false;

  bool is_copy() const { return !transposed && dtype == piece.entry.dtype; }
};

at::Tensor converted(const at::Tensor& tensor, const Segment& segment) {
  const auto type = *find_dtype(segment.dtype)->type;
  if (tensor.scalar_type() == type) return tensor;
  auto out = tensor.to(type);
  check(out.isfinite().all().item<bool>() || !tensor.isfinite().all().item<bool>(), ErrorCode::kNonFinite, "tensor ",
        fjord::quoted(segment.piece.name), " has numbers beyond the range of ", segment.dtype);
  return out;
}

// Elements first..last of a segment as they stand in the assembled file. A transposed matrix is read whole.
at::Tensor read_elements(const Segment& segment, std::uint64_t first, std::uint64_t last) {
  const auto& [file, name, entry] = segment.piece;
  const auto* dtype = find_dtype(entry.dtype);
  check(dtype->type && find_dtype(segment.dtype)->type, ErrorCode::kUnsupported, fjord::quoted(file->name(), 300),
        ", tensor ", fjord::quoted(name), " has dtype ", entry.dtype, ", which fjord cannot use");
  const auto size = element_size(entry.dtype);
  if (segment.transposed) {
    first = 0;
    last = element_count(entry.shape);
  }
  auto tensor = at::empty({static_cast<std::int64_t>(last - first)}, *dtype->type);
  file->file().read_at(entry.begin + first * size, bytes_of(tensor));
  if (segment.transposed) tensor = tensor.view(entry.shape).t().contiguous().view({-1});
  return converted(tensor, segment);
}

class AssembledFile : public File {
 public:
  AssembledFile(std::string name, const AssembledTensors& tensors, const std::map<std::string, std::string>& metadata)
      : name_(std::move(name)) {
    std::map<std::string, TensorEntry> entries;
    for (const auto& [tensor_name, tensor] : tensors) {
      const auto begin = size_;
      for (const auto& piece : tensor.pieces) add(piece, tensor);
      entries[tensor_name] = {tensor.dtype, find_dtype(tensor.dtype)->type, tensor.shape, begin, size_};
    }
    head_ = safetensors_head(entries, metadata);
    size_ += head_.size();
  }

  std::uint64_t size() const override { return size_; }
  const std::string& name() const override { return name_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check(offset <= size_ && out.size() <= size_ - offset, ErrorCode::kBadFile, fjord::quoted(name_, 300), " has ",
          size_, " bytes, expected ", out.size(), " more from byte ", offset);
    if (offset < head_.size()) {
      const auto count = std::min<std::uint64_t>(out.size(), head_.size() - offset);
      std::memcpy(out.data(), head_.data() + offset, count);
      return read_data(0, out.subspan(count));
    }
    read_data(offset - head_.size(), out);
  }

 private:
  void add(const Piece& piece, const AssembledTensor& tensor) {
    const auto bytes = tensor.dtype == piece.entry.dtype
                           ? piece.entry.end - piece.entry.begin
                           : element_count(piece.entry.shape) * element_size(tensor.dtype);
    if (bytes > 0) segments_.push_back({size_, size_ + bytes, piece, tensor.dtype, tensor.transposed});
    size_ += bytes;
  }

  // `offset` counts from the end of the header.
  void read_data(std::uint64_t offset, std::span<std::byte> out) const {
    auto segment = std::upper_bound(segments_.begin(), segments_.end(), offset,
                                    [](std::uint64_t at, const Segment& each) { return at < each.end; });
    while (!out.empty()) {
      const auto count = std::min<std::uint64_t>(out.size(), segment->end - offset);
      read_segment(*segment, offset - segment->begin, out.first(count));
      offset += count;
      out = out.subspan(count);
      ++segment;
    }
  }

  static void read_segment(const Segment& segment, std::uint64_t offset, std::span<std::byte> out) {
    const auto& [file, name, entry] = segment.piece;
    if (segment.is_copy()) return file->file().read_at(entry.begin + offset, out);
    const auto size = element_size(segment.dtype);
    const auto first = offset / size, last = (offset + out.size() + size - 1) / size;
    const auto elements = read_elements(segment, first, last);
    const auto skipped = segment.transposed ? offset : offset - first * size;
    std::memcpy(out.data(), bytes_of(elements).data() + skipped, out.size());
  }

  std::string name_;
  std::string head_;
  std::vector<Segment> segments_;
  std::uint64_t size_ = 0;
};

}  // namespace

std::unique_ptr<File> assemble(std::string name, const AssembledTensors& tensors,
                               const std::map<std::string, std::string>& metadata) {
  return std::make_unique<AssembledFile>(std::move(name), tensors, metadata);
}

AssembledTensor whole_tensor(const std::shared_ptr<const Safetensors>& file, const std::string& name) {
  const auto& entry = file->tensors().at(name);
  return {entry.dtype, entry.shape, {{file, name, entry}}, false};
}

Piece rows_of(const Piece& piece, std::int64_t begin, std::int64_t end) {
  auto part = piece;
  const auto row = (piece.entry.end - piece.entry.begin) / static_cast<std::uint64_t>(piece.entry.shape.front());
  part.entry.shape.front() = end - begin;
  part.entry.begin = piece.entry.begin + static_cast<std::uint64_t>(begin) * row;
  part.entry.end = piece.entry.begin + static_cast<std::uint64_t>(end) * row;
  return part;
}

}  // namespace fjord::loading
