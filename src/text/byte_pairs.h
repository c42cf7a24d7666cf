// Byte-level byte pair encoding of one word (arXiv:1508.07909; the byte letters are those of GPT-2).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fjord::text {

using TokenIds = std::unordered_map<std::string, std::int64_t>;

class BytePairEncoder {
 public:
  // Throws Error(kBadFile) for a merge whose parts or result are no tokens, and for a vocabulary that lacks the token
  // of a byte (inside or at the end of a word) and `unk` as well.
  BytePairEncoder(const TokenIds& ids, const std::vector<std::pair<std::string, std::string>>& merges,
                  const std::string& unk);

  // Appends the ids of one word, given as its UTF-8 bytes. Time n log n, constant stack.
  void encode(std::string_view word, std::vector<std::int64_t>& out) const;

 private:
  class Word;
  struct Merge {
    std::uint32_t rank = 0;
    std::uint32_t id = 0;
  };

  const Merge* find(std::uint32_t left, std::uint32_t right) const;

  std::array<std::uint32_t, 256> inner_{};  // token of a byte inside a word
  std::array<std::uint32_t, 256> final_{};  // token of a byte that ends a word
  std::unordered_map<std::uint64_t, Merge> merges_;
};

}  // namespace fjord::text
