// The symbols of a word form a linked list; a heap holds the merges that are possible, best rank first, then leftmost.
// Entries are not removed when a neighbour changes: they are recognised as stale when they come up.
#include "text/byte_pairs.h"

#include "core/check.h"
#include "text/unicode.h"

#include <queue>
#include <tuple>

namespace fjord::text {
namespace {

constexpr std::int32_t kNone = -1;
constexpr std::string_view kEndOfWord = "</w>";

// The letter that stands for each byte in a vocabulary: itself where it is printable, else the next one from U+0100.
std::array<std::string, 256> byte_letters() {
  std::array<std::string, 256> letters;
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
    append_utf8(printable ? byte : next++, letters[byte]);
  }
  return letters;
}

std::uint64_t pair_key(std::uint32_t left, std::uint32_t right) { return std::uint64_t{left} << 32 | right; }

std::uint32_t merged_id(const TokenIds& ids, const std::string& token, size_t rank) {
  const auto found = ids.find(token);
  if (found == ids.end()) {
    fail(ErrorCode::kBadFile, "tokenizer merge ", rank + 1, ": expected a token of the vocabulary, got ",
         quoted(token));
  }
  return static_cast<std::uint32_t>(found->second);
}

std::uint32_t byte_id(const TokenIds& ids, const std::string& letter, const std::string& unk) {
  auto found = ids.find(letter);
  if (found == ids.end()) found = ids.find(unk);
  check(found != ids.end(), ErrorCode::kBadFile, "tokenizer vocabulary: expected a token ", quoted(letter),
        " or the unknown token ", quoted(unk), ", got neither");
  return static_cast<std::uint32_t>(found->second);
}

}  // namespace

BytePairEncoder::BytePairEncoder(const TokenIds& ids, const std::vector<std::pair<std::string, std::string>>& merges,
                                 const std::string& unk) {
  const std::array<std::string, 256> letters = byte_letters();
  for (size_t byte = 0; byte < letters.size(); ++byte) {
    inner_[byte] = byte_id(ids, letters[byte], unk);
    final_[byte] = byte_id(ids, letters[byte] + std::string(kEndOfWord), unk);
  }
  merges_.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const std::uint64_t key = pair_key(merged_id(ids, left, rank), merged_id(ids, right, rank));
    merges_[key] = {static_cast<std::uint32_t>(rank), merged_id(ids, left + right, rank)};
  }
}

const BytePairEncoder::Merge* BytePairEncoder::find(std::uint32_t left, std::uint32_t right) const {
  const auto found = merges_.find(pair_key(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

// One word on its way to tokens.
class BytePairEncoder::Word {
 public:
  Word(const BytePairEncoder& encoder, std::string_view bytes) : encoder_(encoder), symbols_(bytes.size()) {
    const auto size = static_cast<std::int32_t>(bytes.size());
    for (std::int32_t at = 0; at < size; ++at) {
      const bool last = at + 1 == size;
      const auto byte = static_cast<unsigned char>(bytes[static_cast<size_t>(at)]);
      symbol(at) = {last ? encoder.final_[byte] : encoder.inner_[byte], at - 1, last ? kNone : at + 1, true};
    }
    for (std::int32_t at = 0; at < size; ++at) offer(at);
  }

  void merge_all() {
    while (!candidates_.empty()) {
      const Candidate best = candidates_.top();
      candidates_.pop();
      Symbol& left = symbol(best.position);
      if (!left.alive || left.next == kNone) continue;
      Symbol& right = symbol(left.next);
      // As in the reference an entry counts as long as its position still merges to the same token.
      const Merge* merge = encoder_.find(left.id, right.id);
      if (merge == nullptr || merge->id != best.id) continue;
      left.id = best.id;
      left.next = right.next;
      right.alive = false;
      if (left.next != kNone) symbol(left.next).previous = best.position;
      offer(left.previous);
      offer(best.position);
    }
  }

  void append_to(std::vector<std::int64_t>& out) const {
    for (const Symbol& symbol : symbols_) {
      if (symbol.alive) out.push_back(symbol.id);
    }
  }

 private:
  struct Symbol {
    std::uint32_t id = 0;
    std::int32_t previous = kNone;
    std::int32_t next = kNone;
    bool alive = true;
  };

  // A merge of the symbol at `position` with its right neighbour.
  struct Candidate {
    std::uint32_t rank = 0;
    std::int32_t position = 0;
    std::uint32_t id = 0;

    // std::priority_queue gives the greatest first; the smallest rank, then the smallest position must come out first.
    bool operator<(const Candidate& other) const {
      return std::tie(rank, position) > std::tie(other.rank, other.position);
    }
  };

  Symbol& symbol(std::int32_t at) { return symbols_[static_cast<size_t>(at)]; }

  void offer(std::int32_t at) {
    if (at == kNone || symbol(at).next == kNone) return;
    const Merge* merge = encoder_.find(symbol(at).id, symbol(symbol(at).next).id);
    if (merge != nullptr) candidates_.push({merge->rank, at, merge->id});
  }

  const BytePairEncoder& encoder_;
  std::vector<Symbol> symbols_;
  std::priority_queue<Candidate> candidates_;
};

void BytePairEncoder::encode(std::string_view word, std::vector<std::int64_t>& out) const {
  Word symbols(*this, word);
  symbols.merge_all();
  symbols.append_to(out);
}

}  // namespace fjord::text
