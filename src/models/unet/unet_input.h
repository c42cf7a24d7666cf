// What the U-Net is given for one evaluation.
#pragma once

#include "models/common/layer_context.h"
#include "ops/wrap.h"

#include <optional>
#include <vector>

namespace fjord::models {

// What control networks add to the feature maps of the U-Net: each [batch, channels, height, width] as the map it is
// added to, or [batch, channels, 1, 1]. All may be empty or undefined.
struct ControlSignals {
  std::vector<at::Tensor> skips = {};  // to what goes over to the way up, conv_in's map first (ControlNet)
  at::Tensor middle = {};              // to the bottom's result (ControlNet)
  // On the way down (T2I-Adapter): to the last layer of each level; one more is for the bottom's result.
  std::vector<at::Tensor> levels = {};
};

// Undefined tensors mean: not given. With a memory, the text and the conditions below it may have more rows than the
// sample: the last ones are the sample's (the evaluation leaves out the branch without the prompt).
struct UNetInput {
  at::Tensor sample;                    // [batch, in_channels, height, width], any size the U can halve and restore
  at::Tensor timesteps;                 // float32 [batch]; with `timestep` not needed
  at::Tensor encoder_hidden_states;     // [batch, text_tokens, cross_attention_dim]
  at::Tensor timestep_cond = {};        // [batch, time_cond_proj_dim]
  at::Tensor class_labels = {};         // see ClassEmbedding
  at::Tensor text_embeds = {};          // [batch, features], addition_embed_type text_time
  at::Tensor time_ids = {};             // [batch, ids], likewise
  std::optional<double> timestep = {};  // of the whole batch; looked up in the memory if that foresees it
  // Text, conditions and rows of the text must stay the same for as long as a memory is used.
  RunMemory* memory = nullptr;
  Shortcuts shortcuts = {};
  ops::Wrap wrap = {};  // what convolutions see beyond the border
  LayerChanges changes = {};
  ControlSignals signals = {};
};

// The input for its own batch alone: rows of conditions that are not the sample's are dropped, `timesteps` is filled.
UNetInput own_rows(const UNetInput& input);

// The conditions repeated for every one of `timesteps`, and the timesteps for every row of the conditions: a time
// embedding of it has one block of rows a timestep. Sample and text stay as they are.
UNetInput at_all_timesteps(const UNetInput& input, const std::vector<double>& timesteps);

// Adds signals.skips to as many of `skips` as there are.
void add_skips(const ControlSignals& signals, std::vector<at::Tensor>& skips);

}  // namespace fjord::models
