// One evaluation of the U-Net as its layers see it: the timestep, the text, and what may be taken from memory.
#pragma once

#include "models/common/layer_changes.h"
#include "models/common/run_memory.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace fjord::models {

class ResnetBlock2D;

// What becomes of the text's part in the picture. T-GATE, arXiv:2404.02747.
enum class TextUse {
  kAttend,         // layers attend to it
  kAttendAndKeep,  // and keep the average over the branches of what they got
  kRepeat,         // layers repeat what they kept; the text is not looked at
};

// What an evaluation may leave out. Anything but the defaults needs a memory.
struct Shortcuts {
  TextUse text = TextUse::kAttend;
  int branches = 1;  // equal parts of the batch over which kAttendAndKeep averages
  // DeepCache, arXiv:2312.00858: the innermost skip connection that is computed on the kept deep features, from 0.
  std::optional<size_t> cache_branch = {};
  bool reuse_deep = false;   // false: run whole, and keep the deep features if there is a cache_branch
  double merge_ratio = 0.0;  // token merging, see TokenMerging
};

struct LayerContext {
  std::int64_t batch = 0;
  at::Tensor text = {};                 // [batch or more, tokens, cross_attention_dim]; the last rows count
  at::Tensor time_features = {};        // [batch, temb_channels]; undefined where `timestep` is set
  std::optional<size_t> timestep = {};  // index in memory->timesteps
  RunMemory* memory = nullptr;          // null: everything is computed
  Shortcuts shortcuts = {};
  LayerChanges changes = {};

  // The time embedding as the block takes it, [batch, features].
  at::Tensor time(const ResnetBlock2D& block) const;
  // Keys and values of the text at a layer.
  KeysAndValues text_keys(const Attention& layer) const;
  // What a layer attends to beside the text; `size`: height and width of its pixels.
  std::vector<FurtherContext> pictures(const Attention& layer, at::IntArrayRef size) const;
  // hidden + attention(norm(hidden), text and pictures). hidden: [batch, pixels, features].
  at::Tensor add_text(const Attention& layer, const nn::LayerNorm& norm, const at::Tensor& hidden,
                      at::IntArrayRef size) const;
  // Adds how much the pixels of `hidden` listen to the text at a layer to changes.text_maps, if there are any.
  void note_text(const Attention& layer, const nn::LayerNorm& norm, const at::Tensor& hidden,
                 at::IntArrayRef size) const;
  // Called before the way up takes skip connection number `skip`.
  void keep_deep(size_t skip, const at::Tensor& hidden) const;
  // Whether the way down has come as far as this evaluation goes.
  bool deep_enough(size_t skips) const { return shortcuts.reuse_deep && skips > *shortcuts.cache_branch; }
};

}  // namespace fjord::models
