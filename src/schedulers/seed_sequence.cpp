// Two hashes of 32-bit words, each with a multiplier that itself is multiplied at every use: one to mix the entropy
// into the pool, one to draw from it. The constants are those of numpy's documentation of the algorithm.
#include "schedulers/seed_sequence.h"

namespace fjord::schedulers {
namespace {

using Word = std::uint32_t;

class Hash {
 public:
  Hash(Word start, Word factor) : state_(start), factor_(factor) {}

  Word operator()(Word value) {
    value ^= state_;
    state_ *= factor_;
    value *= state_;
    return value ^ (value >> 16);
  }

 private:
  Word state_;
  Word factor_;
};

Word mix(Word x, Word y) {
  const Word value = 0xca01f9ddu * x - 0x4973f715u * y;
  return value ^ (value >> 16);
}

// The words of a number, lowest first; at least one.
void append_words(std::vector<Word>& words, std::uint64_t value) {
  words.push_back(static_cast<Word>(value));
  if (value >> 32 != 0) words.push_back(static_cast<Word>(value >> 32));
}

std::vector<Word> mixed_pool(const std::vector<Word>& entropy, size_t size) {
  Hash hash(0x43b0d7e5u, 0x931e8875u);
  std::vector<Word> pool(size);
  for (size_t i = 0; i < size; ++i) pool[i] = hash(i < entropy.size() ? entropy[i] : 0);
  for (size_t from = 0; from < size; ++from) {
    for (size_t to = 0; to < size; ++to) {
      if (from != to) pool[to] = mix(pool[to], hash(pool[from]));
    }
  }
  for (size_t from = size; from < entropy.size(); ++from) {
    for (size_t to = 0; to < size; ++to) pool[to] = mix(pool[to], hash(entropy[from]));
  }
  return pool;
}

}  // namespace

std::vector<std::uint32_t> seed_sequence(std::uint64_t entropy, const std::vector<std::uint64_t>& spawn_key,
                                         size_t pool_size, size_t count) {
  std::vector<Word> words;
  append_words(words, entropy);
  if (!spawn_key.empty() && words.size() < pool_size) words.resize(pool_size);
  for (const std::uint64_t key : spawn_key) append_words(words, key);
  const auto pool = mixed_pool(words, pool_size);
  Hash hash(0x8b51f9ddu, 0x58f38dedu);
  std::vector<Word> seeds;
  for (size_t i = 0; i < count; ++i) seeds.push_back(hash(pool[i % pool_size]));
  return seeds;
}

}  // namespace fjord::schedulers
