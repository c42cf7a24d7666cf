#include "pipeline/summed_steps.h"

#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>

namespace fjord::pipeline {
namespace {

constexpr size_t kMostTerms = 8;  // of CudaOps::combine

}  // namespace

std::vector<SummedSteps::Term> SummedSteps::guidance_terms(size_t evaluation) const {
  std::vector<Term> terms;
  const auto& weights = weights_[evaluation];
  for (size_t branch = 0; branch < weights.size(); ++branch) {
    if (weights[branch] != 0) terms.push_back({Source::kBranch, branch, weights[branch]});
  }
  return terms;
}

std::vector<SummedSteps::Term> SummedSteps::step_terms(size_t evaluation) const {
  const auto& step = steps_[evaluation];
  std::vector<Term> terms;
  for (const auto& [lag, factor] : step.samples) terms.push_back({Source::kLatents, static_cast<size_t>(lag), factor});
  for (const auto& [lag, factor] : step.predictions) {
    if (lag > 0) {
      terms.push_back({Source::kPrediction, static_cast<size_t>(lag), factor});
      continue;
    }
    for (auto term : guidance_terms(evaluation)) {
      term.factor *= factor;
      terms.push_back(term);
    }
  }
  if (step.noise != 0) terms.push_back({Source::kNoise, 0, step.noise});
  return terms;
}

std::optional<SummedSteps> SummedSteps::make(const CudaOps& ops, at::Device device,
                                             std::vector<schedulers::LinearStep> steps,
                                             std::vector<std::vector<double>> weights) {
  SummedSteps out(ops, std::move(steps), std::move(weights));
  const auto count = out.steps_.size();
  auto guidance = at::zeros({static_cast<std::int64_t>(count), static_cast<std::int64_t>(kMostTerms)}, at::kFloat);
  auto updates = at::zeros_like(guidance);
  const auto write = [](const std::vector<Term>& terms, size_t evaluation, at::Tensor& to) {
    auto* row = to.mutable_data_ptr<float>() + evaluation * kMostTerms;
    for (const auto& term : terms) *row++ = static_cast<float>(term.factor);
    return !terms.empty();
  };
  for (size_t i = 0; i < count; ++i) {
    const auto terms = out.step_terms(i);
    if (terms.size() > kMostTerms || !write(terms, i, updates) || !write(out.guidance_terms(i), i, guidance))
      return std::nullopt;
    for (const auto& term : terms) {
      if (term.source == Source::kLatents) out.sample_lag_ = std::max(out.sample_lag_, term.which);
      if (term.source == Source::kPrediction) out.prediction_lag_ = std::max(out.prediction_lag_, term.which);
    }
  }
  out.guidance_ = ops.upload(guidance, device);
  out.updates_ = ops.upload(updates, device);
  return out;
}

std::vector<at::Tensor> SummedSteps::branches(const at::Tensor& outputs, size_t evaluation) const {
  return outputs.chunk(static_cast<std::int64_t>(weights_[evaluation].size()));
}

at::Tensor SummedSteps::guided(const at::Tensor& outputs, int evaluation) const {
  const auto i = static_cast<size_t>(evaluation);
  const auto parts = branches(outputs, i);
  std::vector<at::Tensor> terms;
  for (const auto& term : guidance_terms(i)) terms.push_back(parts[term.which]);
  return ops_->combine(terms, guidance_[evaluation], {}, {});
}

at::Tensor SummedSteps::step(const Moment& moment, const DrawNoise& draw, const at::Tensor& flag) {
  const auto i = static_cast<size_t>(moment.evaluation);
  const auto parts = branches(moment.outputs, i);
  const auto noise = steps_[i].draws ? draw(moment.latents.sizes()).to(moment.latents.scalar_type()) : at::Tensor();
  std::vector<at::Tensor> terms;
  for (const auto& [source, which, factor] : step_terms(i)) {
    switch (source) {
      case Source::kLatents: terms.push_back(which == 0 ? moment.latents : samples_[which - 1]); break;
      case Source::kPrediction: terms.push_back(predictions_[which - 1]); break;
      case Source::kBranch: terms.push_back(parts[which]); break;
      case Source::kNoise: terms.push_back(noise); break;
    }
  }
  const auto next = ops_->combine(terms, updates_[moment.evaluation], {}, flag);
  if (sample_lag_ > 0) samples_.push_front(moment.latents);
  if (prediction_lag_ > 0) predictions_.push_front(guided(moment.outputs, moment.evaluation));
  if (samples_.size() > sample_lag_) samples_.pop_back();
  if (predictions_.size() > prediction_lag_) predictions_.pop_back();
  return next;
}

}  // namespace fjord::pipeline
