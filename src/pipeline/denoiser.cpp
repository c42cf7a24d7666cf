#include "pipeline/denoiser.h"

#include "core/cuda_plugin.h"
#include "models/unet/self_attentions.h"
#include "pipeline/evaluation.h"
#include "pipeline/guidance.h"
#include "pipeline/image_prompts.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>

namespace fjord::pipeline {
namespace {

bool is_on(const FreeU& free_u) { return free_u.s1 != 1 || free_u.s2 != 1 || free_u.b1 != 1 || free_u.b2 != 1; }

// Which evaluations may be guided at all.
std::vector<bool> guided_evaluations(const Conditioning& conditioning, const std::vector<double>& scales) {
  std::vector<bool> guided;
  for (const double scale : scales) guided.push_back(conditioning.guided && scale > 1);
  return guided;
}

// The rows of the branch with the prompt once more, for the perturbed branch.
void repeat_prompt(at::Tensor& rows, std::int64_t images) {
  if (rows.defined()) rows = at::cat({rows, models::last_rows(rows, images)});
}

}  // namespace

Denoiser::Denoiser(const Model& model, Conditioning conditioning, const Request& request, std::vector<double> timesteps,
                   ControlRun controls)
    : model_(model),
      conditioning_(std::move(conditioning)),
      options_(request.guidance_options),
      scales_(guidance_scales(options_, *request.guidance, timesteps.size())),
      guidance_rescale_(request.guidance_rescale),
      wrap_{request.seamless.x, request.seamless.y},
      plans_(plan_steps(request.approximation, guided_evaluations(conditioning_, scales_))),
      controls_(std::move(controls)),
      graphs_(model.graphs, timesteps.size()) {
  if (model.cuda_paths.graph && model.graphs == nullptr && cuda_ops(model.device) != nullptr) {
    graphs_.note("the U-Net runs without a graph to keep within the budget of memory");
  }
  memory_.timesteps = std::move(timesteps);
  const FreeU& free_u = options_.free_u;
  if (is_on(free_u)) changes_.free_u = models::FreeUFactors{free_u.s1, free_u.s2, free_u.b1, free_u.b2};
  if (options_.perturbed_scale == 0) return;
  changes_.perturbed_layers = models::self_attentions(*model_.unet, options_.perturbed_layers);
  repeat_prompt(conditioning_.text, request.images);
  repeat_prompt(conditioning_.pooled, request.images);
  repeat_prompt(conditioning_.time_ids, request.images);
  repeat_prompt(conditioning_.guidance, request.images);
  repeat_last(conditioning_.pictures, request.images);
}

// Outside the guidance interval nothing is guided, by whatever means.
bool Denoiser::perturbs(int i) const {
  return options_.perturbed_scale > 0 && plans_.at(static_cast<size_t>(i)).in_interval;
}

// Branches before the one with the prompt.
int Denoiser::negatives(int i) const {
  return plans_.at(static_cast<size_t>(i)).both_branches ? conditioning_.negatives() : 0;
}

// What the network sees, branch by branch: the sample and the further channels, which the first branch of a model that
// changes pictures sees as zeros.
std::vector<at::Tensor> Denoiser::branches_of(const at::Tensor& sample, int i) const {
  const auto& channels = conditioning_.channels;
  const auto seen = channels.defined() ? at::cat({sample, channels}, 1) : sample;
  const int before = negatives(i);
  std::vector<at::Tensor> branches(1 + static_cast<size_t>(before) + size_t{perturbs(i)}, seen);
  if (conditioning_.sees_picture && before > 0) branches[0] = at::cat({sample, at::zeros_like(channels)}, 1);
  return branches;
}

models::LayerChanges Denoiser::changes_at(const at::Tensor& sample, int i) {
  auto changes = changes_;
  if (perturbs(i)) changes.perturbed_rows = sample.size(0);
  if (!conditioning_.pictures.empty()) changes.pictures = &conditioning_.pictures;
  if (!options_.heat_maps) return changes;
  if (!text_maps_) text_maps_.emplace(sample.size(2), sample.size(3));
  changes.text_maps = &*text_maps_;
  changes.prompt_rows = sample.size(0);
  changes.first_prompt_row = negatives(i) * sample.size(0);
  return changes;
}

at::Tensor Denoiser::run_network(const at::Tensor& sample, int i) {
  const auto& plan = plans_.at(static_cast<size_t>(i));
  models::UNetInput input;
  const auto branches = branches_of(sample, i);
  input.sample = branches.size() == 1 ? branches[0] : at::cat(branches);
  input.timestep = memory_.timesteps.at(static_cast<size_t>(i));
  input.encoder_hidden_states = conditioning_.text;
  input.timestep_cond = conditioning_.guidance;
  input.text_embeds = conditioning_.pooled;
  input.time_ids = conditioning_.time_ids;
  input.memory = &memory_;
  input.shortcuts = plan.shortcuts;
  input.wrap = wrap_;
  input.changes = changes_at(sample, i);
  input.signals = controls_.at(sample, {i, negatives(i), perturbs(i), plan.shortcuts});
  return evaluates_elsewhere() ? evaluate(*model_.unet, input) : graphs_.evaluate(*model_.unet, input);
}

// The prediction without the prompt: of this evaluation, or by the latest difference. Undefined: nothing to guide by.
at::Tensor Denoiser::without_prompt(const std::vector<at::Tensor>& branches, const at::Tensor& with_prompt, int i) {
  const auto& plan = plans_.at(static_cast<size_t>(i));
  if (plan.reuse_difference) return with_prompt - difference_;
  if (!plan.both_branches) return {};
  const bool reused_next =
      i + 1 < static_cast<int>(plans_.size()) && plans_[static_cast<size_t>(i) + 1].reuse_difference;
  if (reused_next) difference_ = with_prompt - branches[0];
  return branches[0];
}

at::Tensor Denoiser::guided(const std::vector<at::Tensor>& branches, const at::Tensor& without, int i) const {
  const auto before = static_cast<size_t>(negatives(i));
  const auto& with_prompt = branches[before];
  if (!without.defined()) return with_prompt;
  const double scale = scales_.at(static_cast<size_t>(i));
  if (before == 2) return guide_by_image(without, branches[1], with_prompt, scale, options_.image_scale);
  return guide(without, with_prompt, scale, options_);
}

std::vector<double> Denoiser::weights(int i) const {
  const auto& plan = plans_.at(static_cast<size_t>(i));
  const bool reused =
      plan.reuse_difference || (i + 1 < evaluations() && plans_[static_cast<size_t>(i) + 1].reuse_difference);
  if (reused || (plan.both_branches && (guidance_rescale_ != 0 || options_.mimic_scale > 0))) return {};
  const double scale = scales_.at(static_cast<size_t>(i));
  const double image = options_.image_scale;
  std::vector<double> weights{1};
  if (negatives(i) == 1) weights = {1 - scale, scale};
  if (negatives(i) == 2) weights = {1 - image, image - scale, scale};
  if (!perturbs(i)) return weights;
  const double perturbed = perturbed_scale_at(options_, memory_.timesteps.at(static_cast<size_t>(i)));
  weights.back() += perturbed;
  weights.push_back(-perturbed);
  return weights;
}

at::Tensor Denoiser::predict(const at::Tensor& sample, int i) {
  const auto prediction = run_network(sample, i);
  const auto branches = prediction.split(sample.size(0));
  const auto& with_prompt = branches[static_cast<size_t>(negatives(i))];
  const auto without = without_prompt(branches, with_prompt, i);
  auto result = guided(branches, without, i);
  if (perturbs(i)) {
    const double scale = perturbed_scale_at(options_, memory_.timesteps.at(static_cast<size_t>(i)));
    result = result + scale * (with_prompt - branches.back());
  }
  return without.defined() ? rescaled(result, with_prompt, guidance_rescale_) : result;
}

}  // namespace fjord::pipeline
