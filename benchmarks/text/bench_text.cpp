// Time of the tokenizer against the length of the text; the worst texts are one word without an end.
#include "loading/source.h"
#include "loading/tokenizer_files.h"
#include "text/clip_tokenizer.h"

#include <benchmark/benchmark.h>

namespace {

const fjord::text::ClipTokenizer& tokenizer() {
  static const fjord::text::ClipTokenizer value = [] {
    const auto folder = fjord::loading::open_folder(FJORD_SOURCE_DIR "/weights/tiny/tokenizer");
    fjord::loading::TokenizerFiles files;
    for (const char* name : {"vocab.json", "merges.txt"}) {
      files.emplace(name, fjord::loading::read_text(*folder, name, std::uint64_t{16} << 20));
    }
    return fjord::text::ClipTokenizer(fjord::loading::read_tokenizer(files));
  }();
  return value;
}

void measure(benchmark::State& state, const std::string& unit) {
  std::string text;
  while (text.size() + unit.size() <= static_cast<size_t>(state.range(0))) text += unit;
  for (auto _ : state) benchmark::DoNotOptimize(tokenizer().tokenize(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.SetComplexityN(state.range(0));
}

void prompt(benchmark::State& state) { measure(state, "a gold crown on red cloth, soft light. "); }
void one_letter(benchmark::State& state) { measure(state, "a"); }
void one_ideograph(benchmark::State& state) { measure(state, "\u6f22"); }
void combining_marks(benchmark::State& state) { measure(state, "\u0301"); }

}  // namespace

BENCHMARK(prompt)->RangeMultiplier(4)->Range(256, 65536)->Complexity();
BENCHMARK(one_letter)->RangeMultiplier(4)->Range(256, 65536)->Complexity();
BENCHMARK(one_ideograph)->RangeMultiplier(4)->Range(256, 65536)->Complexity();
BENCHMARK(combining_marks)->RangeMultiplier(4)->Range(256, 65536)->Complexity();
BENCHMARK_MAIN();
