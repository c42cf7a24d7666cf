#include "pipeline/heat_maps.h"

#include "core/check.h"
#include "core/tensors.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace fjord::pipeline {
namespace {

struct Word {
  std::string text;
  std::int64_t first = 0;  // token, counted from the begin token
  std::int64_t count = 0;
};

// The words between spaces with their tokens; a word's tokens do not depend on its neighbours.
std::vector<Word> words_of(const text::ClipTokenizer& tokenizer, const std::string& prompt) {
  std::vector<Word> words;
  std::istringstream in(prompt);
  std::int64_t next = 1;
  for (std::string word; in >> word;) {
    const auto count = static_cast<std::int64_t>(tokenizer.tokenize(word).size());
    words.push_back({word, next, count});
    next += count;
  }
  return words;
}

}  // namespace

std::vector<HeatMap> word_maps(const Model& model, const Request& request, const at::Tensor& maps,
                               std::vector<std::string>& warnings) {
  if (!maps.defined()) return {};
  const auto& tokenizer = *model.text_encoders.front().tokenizer;
  const auto words = words_of(tokenizer, request.prompt);
  const auto total = words.empty() ? 1 : words.back().first + words.back().count;
  const auto encoded = tokenizer.encode(request.prompt);
  const auto window = static_cast<std::int64_t>(encoded.ids.size());
  const bool plain = request.prompting.syntax == PromptSyntax::kPlain && request.embeddings.positive.shape.empty();
  if (!plain || maps.size(1) != window || total + 1 != static_cast<std::int64_t>(encoded.total_tokens)) {
    warnings.emplace_back("there are no heat maps: the text encoder did not see the plain words of the prompt");
    return {};
  }
  std::vector<HeatMap> result;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto& [text, first, count] = words[i];
    if (count == 0 || first + count > window - 1) continue;  // the last place is the end token's
    result.push_back({text, static_cast<int>(i), to_array(maps.narrow(1, first, count).sum(1))});
  }
  return result;
}

}  // namespace fjord::pipeline

namespace fjord {

Image highlight(const Image& picture, const HeatMap& map, int index) {
  const auto& shape = map.values.shape;
  check(shape.size() == 3 && index >= 0 && index < shape[0] && shape[1] > 0 && shape[2] > 0,
        ErrorCode::kInvalidArgument, "the heat map of ", quoted(map.word), " has no image ", index);
  constexpr double kDarkest = 0.15;
  const auto rows = static_cast<size_t>(shape[1]);
  const auto columns = static_cast<size_t>(shape[2]);
  const float* heat = map.values.values.data() + static_cast<size_t>(index) * rows * columns;
  const double hottest = std::max(1e-12, static_cast<double>(*std::max_element(heat, heat + rows * columns)));
  Image out = picture;
  for (size_t y = 0; y < static_cast<size_t>(picture.height); ++y) {
    for (size_t x = 0; x < static_cast<size_t>(picture.width); ++x) {
      const size_t row = y * rows / static_cast<size_t>(picture.height);
      const size_t column = x * columns / static_cast<size_t>(picture.width);
      const double light = kDarkest + (1 - kDarkest) * static_cast<double>(heat[row * columns + column]) / hottest;
      for (size_t channel = 0; channel < 3; ++channel) {
        auto& pixel = out.pixels[(y * static_cast<size_t>(picture.width) + x) * 3 + channel];
        pixel = static_cast<std::uint8_t>(std::lround(pixel * light));
      }
    }
  }
  return out;
}

}  // namespace fjord
