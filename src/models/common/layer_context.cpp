#include "models/common/layer_context.h"

#include "models/common/resnet_block.h"

namespace fjord::models {
namespace {

// [branches * images, ...] -> [images, ...]
at::Tensor mean_of_branches(const at::Tensor& x, int branches) {
  const auto parts = x.chunk(branches);
  auto sum = parts[0];
  for (size_t i = 1; i < parts.size(); ++i) sum = sum + parts[i];
  return sum / branches;
}

}  // namespace

at::Tensor LayerContext::time(const ResnetBlock2D& block) const {
  if (!timestep) return block.project_time(time_features);
  auto& all = memory->time_projections[&block];
  if (!all.defined()) all = block.project_time(memory->time_features);
  const auto rows = all.size(0) / static_cast<std::int64_t>(memory->timesteps.size());
  const auto own = all.narrow(0, static_cast<std::int64_t>(*timestep) * rows, rows);
  return rows == 1 ? own.expand({batch, -1}) : last_rows(own, batch);
}

KeysAndValues LayerContext::text_keys(const Attention& layer) const {
  if (memory == nullptr) return layer.keys_and_values(last_rows(text, batch));
  auto& all = memory->text_keys[&layer];
  if (!all.keys.defined()) all = layer.keys_and_values(text);
  return {last_rows(all.keys, batch), last_rows(all.values, batch)};
}

std::vector<FurtherContext> LayerContext::pictures(const Attention& layer, at::IntArrayRef size) const {
  if (changes.pictures == nullptr) return {};
  const auto found = changes.pictures->find(&layer);
  return found == changes.pictures->end() ? std::vector<FurtherContext>() : contexts_of(found->second, batch, size);
}

at::Tensor LayerContext::add_text(const Attention& layer, const nn::LayerNorm& norm, const at::Tensor& hidden,
                                  at::IntArrayRef size) const {
  if (shortcuts.text == TextUse::kRepeat) return hidden + memory->text_answers.at(&layer);
  const auto normed = norm.forward(hidden);
  const auto further = pictures(layer, size);
  if (shortcuts.text == TextUse::kAttend) return layer.forward(normed, text_keys(layer), hidden, further);
  const auto answer = layer.forward(normed, text_keys(layer), {}, further);
  memory->text_answers[&layer] = mean_of_branches(answer, shortcuts.branches);
  return hidden + answer;
}

void LayerContext::note_text(const Attention& layer, const nn::LayerNorm& norm, const at::Tensor& hidden,
                             at::IntArrayRef size) const {
  if (changes.text_maps == nullptr || shortcuts.text == TextUse::kRepeat) return;
  const auto own = [this](const at::Tensor& x) { return x.narrow(0, changes.first_prompt_row, changes.prompt_rows); };
  const auto weights = layer.weights(norm.forward(own(hidden)), own(text_keys(layer).keys));
  changes.text_maps->add(weights.unflatten(2, size));
}

void LayerContext::keep_deep(size_t skip, const at::Tensor& hidden) const {
  if (shortcuts.cache_branch == skip && !shortcuts.reuse_deep) memory->deep = hidden;
}

}  // namespace fjord::models
