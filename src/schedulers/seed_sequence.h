// Many independent seeds from one, in the way of numpy.random.SeedSequence.
#pragma once

#include <cstdint>
#include <vector>

namespace fjord::schedulers {

// `count` seeds of the sequence that belongs to `entropy` and to the place `spawn_key` in a tree of sequences; a pool
// of `pool_size` words is mixed (M. E. O'Neill, "Developing a seed_seq Alternative", 2015). Equal to
// numpy.random.SeedSequence(entropy, spawn_key=..., pool_size=...).generate_state(count).
std::vector<std::uint32_t> seed_sequence(std::uint64_t entropy, const std::vector<std::uint64_t>& spawn_key,
                                         size_t pool_size, size_t count);

}  // namespace fjord::schedulers
