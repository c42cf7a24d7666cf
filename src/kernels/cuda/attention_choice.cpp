// The order of preference is what shapes and instructions suggest; it has not been measured on a GPU yet
// (docs/cuda.md).
#include "kernels/cuda/attention_choice.h"

#include "core/check.h"
#include "kernels/cuda/layout.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace fjord::kernels::cuda {
namespace {

constexpr std::array kOwnHeads = {40, 64, 80, 128, 160};
constexpr std::array kHopperHeads = {40, 64, 80, 160};
constexpr int kMostTextKeys = 240;  // three texts; for more, computing scores twice costs more than it saves

template <typename Heads>
bool contains(const Heads& heads, int head_dim) {
  return std::find(heads.begin(), heads.end(), head_dim) != heads.end();
}

bool is_half(Element element) { return element != Element::kFloat32; }

std::string own_fault(const AttentionShape& s, const AttentionMachine& machine) {
  if (machine.capability < 80) return "needs compute capability 8.0";
  if (!is_half(s.element)) return "computes in float16 and bfloat16 only";
  if (s.causal) return "has no causal mask";
  return contains(kOwnHeads, s.head_dim) ? "" : concat("has no kernel for head size ", s.head_dim);
}

std::string hopper_fault(const AttentionShape& s, const AttentionMachine& machine) {
  if (machine.capability != 90) return "needs compute capability 9.0";
  if (!machine.hopper_kernels) return "is not in this build";
  if (auto fault = own_fault(s, machine); !fault.empty()) return fault;
  return contains(kHopperHeads, s.head_dim) ? "" : concat("has no kernel for head size ", s.head_dim);
}

// What LibTorch 2.11 asks of its back ends: aten/src/ATen/native/transformers/cuda/sdp_utils.cpp.
std::string cudnn_fault(const AttentionShape& s, const AttentionMachine& machine) {
  if (machine.capability < 80) return "needs compute capability 8.0";
  if (!is_half(s.element)) return "computes in float16 and bfloat16 only";
  if (s.head_dim > 128) return "takes head sizes up to 128";
  return s.head_dim % 8 == 0 ? "" : "takes head sizes that are multiples of 8";
}

std::string flash_fault(const AttentionShape& s, const AttentionMachine& machine) {
  if (machine.capability < 80) return "needs compute capability 8.0";
  if (!is_half(s.element)) return "computes in float16 and bfloat16 only";
  if (s.head_dim > 256) return "takes head sizes up to 256";
  return s.head_dim % 8 == 0 ? "" : "takes head sizes that are multiples of 8";
}

std::string mem_efficient_fault(const AttentionShape& s) {
  const int unit = is_half(s.element) ? 8 : 4;
  return s.head_dim % unit == 0 ? "" : concat("takes head sizes that are multiples of ", unit);
}

std::string chunked_fault(const AttentionShape& s) {
  if (s.causal) return "has no causal mask";
  return s.heads == 1 ? "" : "serves one head";
}

bool fits_as_text(const AttentionShape& s, const AttentionMachine& machine) {
  if (s.keys > kMostTextKeys || !own_fault(s, machine).empty()) return false;
  const auto bytes = [&]() -> int {
    switch (s.head_dim) {
      case 40: return TextTile<40>::shared_bytes(s.keys);
      case 64: return TextTile<64>::shared_bytes(s.keys);
      case 80: return TextTile<80>::shared_bytes(s.keys);
      case 128: return TextTile<128>::shared_bytes(s.keys);
      default: return TextTile<160>::shared_bytes(s.keys);
    }
  };
  return bytes() <= shared_memory_limit(machine.capability);
}

struct Preference {
  std::vector<AttentionKind> kinds;  // the best first
  const char* reason;                // of the first
};

Preference preference(const AttentionShape& s, const AttentionMachine& machine) {
  using enum AttentionKind;
  if (s.head_dim > 256) return {{kChunked, kMemEfficient, kMath}, "one large head: two matrix products a block"};
  if (fits_as_text(s, machine)) return {{kOwn, kCudnn, kFlash, kMemEfficient, kMath}, "all keys fit shared memory"};
  if (s.head_dim % 64 != 0)
    return {{kOwnHopper, kOwn, kFlash, kCudnn, kMemEfficient, kMath}, "computes this head size without padding"};
  if (machine.capability >= 90)
    return {{kCudnn, kOwnHopper, kFlash, kOwn, kMemEfficient, kMath}, "cuDNN uses this GPU's instructions"};
  return {{kFlash, kOwn, kCudnn, kMemEfficient, kMath}, "made for this head size"};
}

}  // namespace

const char* to_string(AttentionKind kind) {
  switch (kind) {
    case AttentionKind::kOwnHopper: return "own-hopper";
    case AttentionKind::kOwn: return "own";
    case AttentionKind::kCudnn: return "cudnn";
    case AttentionKind::kFlash: return "flash";
    case AttentionKind::kMemEfficient: return "mem-efficient";
    case AttentionKind::kChunked: return "chunked";
    case AttentionKind::kMath: break;
  }
  return "math";
}

const std::vector<AttentionKind>& attention_kinds() {
  using enum AttentionKind;
  static const std::vector<AttentionKind> kinds = {kOwnHopper, kOwn, kCudnn, kFlash, kMemEfficient, kChunked, kMath};
  return kinds;
}

std::optional<AttentionKind> parse_attention(std::string_view name) {
  if (name == "auto") return {};
  std::string names = "auto";
  for (const auto kind : attention_kinds()) {
    if (name == to_string(kind)) return kind;
    names += std::string(", ") + to_string(kind);
  }
  fail(ErrorCode::kInvalidArgument, "attention must be one of ", names, ", got ", quoted(name));
}

int shared_memory_limit(int capability) {
  if (capability >= 90 && capability < 120) return 227 * 1024;
  if (capability == 80 || capability == 87) return 163 * 1024;
  return capability >= 80 ? 99 * 1024 : 64 * 1024;
}

int parse_capability(std::string_view name) {
  auto digits = name.starts_with("sm_") ? std::string(name.substr(3)) : std::string(name);
  const bool dotted = digits.size() > 2 && digits[digits.size() - 2] == '.';
  if (dotted) digits.erase(digits.size() - 2, 1);
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool suffix = end == digits.data() + digits.size() - 1 && (*end == 'a' || *end == 'f');
  check(error == std::errc() && (suffix || end == digits.data() + digits.size()) && value >= 50 && value < 200,
        ErrorCode::kInvalidArgument, "a GPU must be given as sm_<capability>, for example sm_90, got ", quoted(name));
  return value;
}

std::string attention_fault(AttentionKind kind, const AttentionShape& shape, const AttentionMachine& machine) {
  switch (kind) {
    case AttentionKind::kOwnHopper: return hopper_fault(shape, machine);
    case AttentionKind::kOwn: return own_fault(shape, machine);
    case AttentionKind::kCudnn: return cudnn_fault(shape, machine);
    case AttentionKind::kFlash: return flash_fault(shape, machine);
    case AttentionKind::kMemEfficient: return mem_efficient_fault(shape);
    case AttentionKind::kChunked: return chunked_fault(shape);
    case AttentionKind::kMath: break;
  }
  return "";
}

AttentionChoice choose_attention(const AttentionShape& shape, const AttentionMachine& machine,
                                 std::optional<AttentionKind> forced) {
  AttentionChoice choice;
  const auto order = preference(shape, machine);
  const auto fault = [&](AttentionKind kind) { return attention_fault(kind, shape, machine); };
  if (forced) {
    check(fault(*forced).empty(), ErrorCode::kUnsupported, "attention ", to_string(*forced), " cannot serve ",
          shape.heads, " heads of size ", shape.head_dim, ": it ", fault(*forced));
    choice.kind = *forced;
    choice.reason = "asked for";
  } else {
    choice.kind = *std::find_if(order.kinds.begin(), order.kinds.end(), [&](auto kind) { return fault(kind).empty(); });
    choice.reason = choice.kind == order.kinds.front() ? order.reason : "the best of those that can serve";
  }
  choice.resident_keys = choice.kind == AttentionKind::kOwn && fits_as_text(shape, machine);
  for (const auto kind : attention_kinds()) {
    if (kind == choice.kind) continue;
    const auto reason = fault(kind);
    choice.refused.push_back({kind, reason.empty() ? (forced ? "not asked for" : "expected to be slower") : reason});
  }
  return choice;
}

}  // namespace fjord::kernels::cuda
