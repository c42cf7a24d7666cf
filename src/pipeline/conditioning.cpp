#include "pipeline/conditioning.h"

#include "core/check.h"
#include "core/tensors.h"
#include "pipeline/image_prompts.h"
#include "pipeline/size_conditions.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

namespace fjord::pipeline {
namespace {

bool is_given(const Array& array) { return !array.shape.empty() || !array.values.empty(); }

at::Tensor finite_tensor(const Model& model, const Array& array, const std::string& what) {
  const auto tensor = to_tensor(array, what);
  check(tensor.isfinite().all().item<bool>(), ErrorCode::kInvalidArgument, what, " must be finite");
  return tensor.to(model.device, model.dtype);
}

// Embeddings of the caller, [1 or images, tokens, features], and [1 or images, features] where the model takes them.
EncodedText given_embeddings(const Model& model, const Array& states, const Array& pooled, std::int64_t images,
                             const std::string& name) {
  const auto what = "embeddings." + name;
  EncodedText out{finite_tensor(model, states, what), {}};
  const auto fits = [images](const at::Tensor& x) { return x.size(0) == 1 || x.size(0) == images; };
  check(out.states.dim() == 3 && fits(out.states) && out.states.size(1) >= 1 &&
            out.states.size(2) == text_features(model),
        ErrorCode::kInvalidArgument, what, " must be [1 or ", images, ", tokens, ", text_features(model), "], got ",
        out.states.sizes());
  if (!model.family.pooled_text) return out;
  const auto pooled_what = "embeddings.pooled_" + name;
  check(is_given(pooled), ErrorCode::kInvalidArgument, pooled_what, " must be given with ", what);
  out.pooled = finite_tensor(model, pooled, pooled_what);
  check(out.pooled.dim() == 2 && fits(out.pooled) && out.pooled.size(1) == pooled_features(model),
        ErrorCode::kInvalidArgument, pooled_what, " must be [1 or ", images, ", ", pooled_features(model), "], got ",
        out.pooled.sizes());
  return out;
}

// Sinusoids of the guidance scale, eq. in arXiv:2210.03142; reference: get_guidance_scale_embedding.
at::Tensor embed_guidance(double guidance, std::int64_t images, std::int64_t dim) {
  const auto half = dim / 2;
  const auto exponent = at::arange(half, at::kFloat) * -(std::log(10000.0) / static_cast<double>(half - 1));
  const auto angles = at::full({images, 1}, (guidance - 1) * 1000.0, at::kFloat) * exponent.exp().unsqueeze(0);
  return at::cat({angles.sin(), angles.cos()}, 1);
}

PromptText positive_text(const Request& request) {
  const auto& prompting = request.prompting;
  return {request.prompt, prompting.prompt_2, prompting.syntax, prompting.clip_skip};
}

bool is_zero_negative(const Model& model, const Request& request) {
  const auto& prompting = request.prompting;
  if (!request.negative_prompt.empty() || !prompting.negative_prompt_2.empty()) return false;
  if (prompting.empty_negative != EmptyNegative::kModel) return prompting.empty_negative == EmptyNegative::kZeros;
  return model.family.zeros_for_empty_prompt;
}

// `positive` gives the shape of zeros.
EncodedText encode_negative(const Model& model, TextStates& text, const Request& request, const EncodedText& positive) {
  if (is_zero_negative(model, request)) return {at::zeros_like(positive.states), at::zeros_like(positive.pooled)};
  const auto& prompting = request.prompting;
  const int skip = prompting.syntax == PromptSyntax::kPlain ? 0 : prompting.clip_skip;
  return text.of({request.negative_prompt, prompting.negative_prompt_2, prompting.syntax, skip});
}

// `negatives` times the rows of `negative`, then those of `positive`.
at::Tensor joined(const at::Tensor& negative, const at::Tensor& positive, std::int64_t images, int negatives) {
  if (!positive.defined()) return positive;
  auto sizes = positive.sizes().vec();
  sizes[0] = images;
  if (negatives == 0) return positive.expand(sizes);
  std::vector<at::Tensor> branches(static_cast<size_t>(negatives), negative.expand(sizes));
  branches.push_back(positive.expand(sizes));
  return at::cat(branches);
}

// The text of both branches; without guidance the negative one stays empty.
struct BranchTexts {
  EncodedText positive, negative;
};

BranchTexts branches_of(const Model& model, const Request& request, bool guided, std::vector<std::string>& warnings) {
  const auto& given = request.embeddings;
  const auto images = request.images;
  TextStates text(model, warnings);
  BranchTexts out;
  const bool positive_given = is_given(given.positive), negative_given = is_given(given.negative);
  out.positive = positive_given ? given_embeddings(model, given.positive, given.pooled_positive, images, "positive")
                                : text.of(positive_text(request));
  if (!guided) return out;
  out.negative = negative_given ? given_embeddings(model, given.negative, given.pooled_negative, images, "negative")
                                : encode_negative(model, text, request, out.positive);
  if (!positive_given && !negative_given) text.match_tokens(out.positive, out.negative, positive_text(request));
  check(out.negative.states.size(1) == out.positive.states.size(1), ErrorCode::kInvalidArgument,
        "embeddings.positive and embeddings.negative must have equally many tokens, got ", out.positive.states.size(1),
        " and ", out.negative.states.size(1));
  return out;
}

}  // namespace

Conditioning make_conditioning(const Model& model, const Request& request, std::vector<std::string>& warnings) {
  const auto guidance_dim = model.unet->config().time_cond_proj_dim;
  Conditioning out;
  out.guided = *request.guidance > 1 && !guidance_dim;
  out.sees_picture = model.info.needs_image;
  // As in the reference, a picture that shall count less than once is not guided by at all.
  if (out.sees_picture) out.guided = out.guided && request.guidance_options.image_scale >= 1;
  const auto texts = branches_of(model, request, out.guided, warnings);
  out.text = joined(texts.negative.states, texts.positive.states, request.images, out.negatives());
  out.pooled = joined(texts.negative.pooled, texts.positive.pooled, request.images, out.negatives());
  out.pictures = picture_keys(model, request, out.negatives());
  tell_sizes(model, request, out);
  if (guidance_dim) {
    out.guidance = embed_guidance(*request.guidance, request.images, *guidance_dim).to(model.device, model.dtype);
  }
  return out;
}

void tell_sizes(const Model& model, const Request& request, Conditioning& conditioning) {
  if (!model.family.pooled_text) return;
  const auto negative = conditioning.guided ? negative_size_conditions(model.family, request) : at::Tensor();
  conditioning.time_ids =
      joined(negative, size_conditions(model.family, request), request.images, conditioning.negatives())
          .to(model.device);
}

PromptEmbeddings encode_prompts(const Model& model, const Request& request, std::vector<std::string>& warnings) {
  TextStates text(model, warnings);
  auto positive = text.of(positive_text(request));
  auto negative = encode_negative(model, text, request, positive);
  text.match_tokens(positive, negative, positive_text(request));
  PromptEmbeddings out{to_array(positive.states), to_array(negative.states), {}, {}};
  if (!model.family.pooled_text) return out;
  out.pooled_positive = to_array(positive.pooled);
  out.pooled_negative = to_array(negative.pooled);
  return out;
}

}  // namespace fjord::pipeline
