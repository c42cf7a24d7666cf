#include "pipeline/step_graphs.h"

#include "core/check.h"
#include "core/cuda_plugin.h"
#include "pipeline/evaluation.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace fjord::pipeline {
namespace {

constexpr size_t kWaiting = 8;     // graphs that are kept for requests to come
constexpr size_t kWorthwhile = 8;  // evaluations for which a request records a graph that nobody else can use
constexpr double kMoment = 0;      // the one timestep that a graph's own memory knows

// Why an evaluation cannot be recorded; empty: it can.
std::string obstacle(const models::UNetInput& input) {
  const auto& shortcuts = input.shortcuts;
  if (shortcuts.cache_branch || shortcuts.reuse_deep || shortcuts.text != models::TextUse::kAttend)
    return "approximations that reuse features run without a graph";
  if (shortcuts.merge_ratio > 0) return "token merging runs without a graph";
  if (input.changes.text_maps != nullptr) return "heat maps are made without a graph";
  if (input.memory == nullptr || !input.timestep) return "an evaluation that was not foreseen runs without a graph";
  const auto& foreseen = input.memory->timesteps;
  return std::find(foreseen.begin(), foreseen.end(), *input.timestep) == foreseen.end()
             ? "an evaluation that was not foreseen runs without a graph"
             : "";
}

void write_shape(std::ostringstream& out, const at::Tensor& x) {
  out << (x.defined() ? concat(x.sizes(), x.scalar_type()) : "-") << ' ';
}

// All that a graph of an evaluation is made for, besides the network.
std::string shapes_of(const models::UNetInput& input) {
  std::ostringstream out;
  write_shape(out, input.sample);
  out << input.encoder_hidden_states.size(1) << ' ' << input.wrap.x << input.wrap.y << ' '
      << input.changes.perturbed_rows << ' ';
  for (const auto* tensor : {&input.timestep_cond, &input.class_labels, &input.text_embeds, &input.time_ids})
    write_shape(out, *tensor);
  for (const auto& map : input.signals.skips) write_shape(out, map);
  out << "/ ";
  write_shape(out, input.signals.middle);
  for (const auto& map : input.signals.levels) write_shape(out, map);
  return out.str();
}

at::Tensor own_copy(const at::Tensor& x) { return x.defined() ? at::empty_like(x).copy_(x) : x; }

// Every tensor of the signals.
std::vector<at::Tensor> maps_of(const models::ControlSignals& signals) {
  auto maps = signals.skips;
  if (signals.middle.defined()) maps.push_back(signals.middle);
  maps.insert(maps.end(), signals.levels.begin(), signals.levels.end());
  return maps;
}

// Rounding apart: the same kernels ran, but a library may sum in another order.
bool agree(const at::Tensor& x, const at::Tensor& y) {
  const double most = y.scalar_type() == at::kFloat || y.scalar_type() == at::kDouble ? 1e-4 : 3e-2;
  const auto wide = y.to(at::kFloat);
  return ((x.to(at::kFloat) - wide).norm() <= most * wide.norm()).item<bool>();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

void StepGraph::make_tensors(const models::UNetInput& input) {
  const auto& memory = *input.memory;
  const auto batch = input.sample.size(0);
  input_ = input;
  input_.sample = own_copy(input.sample);
  for (auto& map : input_.signals.skips) map = own_copy(map);
  for (auto& map : input_.signals.levels) map = own_copy(map);
  input_.signals.middle = own_copy(input.signals.middle);
  input_.memory = &memory_;
  input_.timestep = kMoment;
  memory_.timesteps = {kMoment};
  memory_.text = at::empty_like(models::last_rows(memory.text, batch));
  memory_.time_features = memory.time_features;  // not read: the projections are there
  for (const auto& [layer, keys] : memory.text_keys) {
    memory_.text_keys[layer] = {at::empty_like(models::last_rows(keys.keys, batch)),
                                at::empty_like(models::last_rows(keys.values, batch))};
  }
  std::int64_t rows = 0, features = 0;
  for (const auto& [block, all] : memory.time_projections) {
    blocks_.push_back(block);
    rows = std::min(batch, all.size(0) / static_cast<std::int64_t>(memory.timesteps.size()));
    features += all.size(1);
  }
  time_ = at::empty({rows, features}, input.sample.options());
  std::int64_t first = 0;
  for (const auto* block : blocks_) {
    const auto width = memory.time_projections.at(block).size(1);
    memory_.time_projections[block] = time_.narrow(1, first, width);
    first += width;
  }
}

void StepGraph::begin(const models::UNetInput& input) {
  if (blocks_.empty()) make_tensors(input);
  const auto& memory = *input.memory;
  const auto batch = input.sample.size(0);
  memory_.text.copy_(models::last_rows(memory.text, batch));
  for (auto& [layer, keys] : memory_.text_keys) {
    const auto& given = memory.text_keys.at(layer);
    keys.keys.copy_(models::last_rows(given.keys, batch));
    keys.values.copy_(models::last_rows(given.values, batch));
  }
  timesteps_ = memory.timesteps;
  const auto count = static_cast<std::int64_t>(timesteps_.size()), rows = time_.size(0);
  std::vector<at::Tensor> parts;
  for (const auto* block : blocks_) {
    const auto all = memory.time_projections.at(block).unflatten(0, {count, -1});
    parts.push_back(all.narrow(1, all.size(1) - rows, rows));
  }
  times_ = at::cat(parts, 2);
}

// What changes from one evaluation of a request to the next.
void StepGraph::put(const models::UNetInput& input) {
  const auto found = std::find(timesteps_.begin(), timesteps_.end(), *input.timestep);
  time_.copy_(times_[found - timesteps_.begin()]);
  input_.sample.copy_(input.sample);
  const auto own = maps_of(input_.signals), given = maps_of(input.signals);
  for (size_t i = 0; i < own.size(); ++i) own[i].copy_(given[i]);
}

void StepGraph::record(const CudaOps& ops, const models::UNetInput& input, const at::Tensor& plain) {
  put(input);
  try {
    graph_ = ops.record([this] { output_ = unet_.forward(input_); });
  } catch (const c10::OutOfMemoryError&) {
    fault_ = "there was no memory for a graph of the U-Net, which runs without";
  } catch (const c10::Error& error) {
    fault_ = concat("the U-Net could not be recorded and runs without a graph: ",
                    first_line(error.what_without_backtrace()));
  }
  if (recorded() && !agree(replay(input), plain)) {
    graph_ = nullptr;
    fault_ = "the graph of the U-Net gave another result than the plain way and is not used";
  }
  if (!recorded()) output_ = at::Tensor();
}

// The output's memory belongs to the next replay.
at::Tensor StepGraph::replay(const models::UNetInput& input) {
  put(input);
  graph_->replay();
  return output_.clone(at::MemoryFormat::Contiguous);
}

std::unique_ptr<StepGraph> StepGraphs::take(const std::string& shapes, const models::UNet2DConditionModel& unet) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& each) { return each.first == shapes; });
  if (found == waiting_.end()) return std::make_unique<StepGraph>(unet);
  auto graph = std::move(found->second);
  waiting_.erase(found);
  return graph;
}

void StepGraphs::give_back(const std::string& shapes, std::unique_ptr<StepGraph> graph) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace_front(shapes, std::move(graph));
  if (waiting_.size() > kWaiting) waiting_.pop_back();
}

bool StepGraphs::forget() {
  const std::lock_guard lock(mutex_);
  const bool any = !waiting_.empty();
  waiting_.clear();
  return any;
}

GraphRun::~GraphRun() {
  for (auto& [shapes, lease] : leases_) {
    if (lease.shared && lease.graph != nullptr) graphs_->give_back(shapes, std::move(lease.graph));
  }
}

void GraphRun::note(const std::string& why) {
  if (std::find(notes_.begin(), notes_.end(), why) == notes_.end()) notes_.push_back(why);
}

GraphRun::Lease& GraphRun::lease(const models::UNet2DConditionModel& unet, const models::UNetInput& input,
                                 bool shared) {
  const auto shapes = shapes_of(input);
  auto& own = leases_[shapes];
  if (own.graph != nullptr) return own;
  own.shared = shared;
  own.graph = shared ? graphs_->take(shapes, unet) : std::make_unique<StepGraph>(unet);
  return own;
}

// Graphs that wait for other requests hold memory that this one may need.
at::Tensor GraphRun::plain(const models::UNet2DConditionModel& unet, const models::UNetInput& input) const {
  try {
    return unet.forward(input);
  } catch (const c10::OutOfMemoryError&) {
    if (!graphs_->forget()) throw;
  }
  cuda_ops(input.sample)->release_memory();
  return unet.forward(input);
}

at::Tensor GraphRun::evaluate(const models::UNet2DConditionModel& unet, const models::UNetInput& input) {
  const auto* ops = graphs_ != nullptr ? cuda_ops(input.sample) : nullptr;
  if (ops == nullptr) return unet.forward(input);
  // What a request has to itself besides its tensors is part of its graph.
  const bool shared = graphs_->lasting() && can_pack(input);
  const auto why = obstacle(input);
  if (!why.empty()) note(why);
  if (!why.empty() || (!shared && evaluations_ < kWorthwhile)) return plain(unet, input);
  auto& own = lease(unet, input, shared);
  if (!own.graph->seen()) return plain(unet, input);
  if (!own.graph->fault().empty()) {
    note(own.graph->fault());
    return plain(unet, input);
  }
  if (!own.begun) {
    unet.remember(input);
    own.graph->begin(input);
    own.begun = true;
  }
  if (own.graph->recorded()) return own.graph->replay(input);
  auto result = plain(unet, input);
  own.graph->record(*ops, input, result);
  if (!own.graph->fault().empty()) note(own.graph->fault());
  return result;
}

}  // namespace fjord::pipeline
