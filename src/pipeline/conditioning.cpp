#include "pipeline/conditioning.h"

#include "core/check.h"
#include "core/tensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>

namespace fjord::pipeline {
namespace {

// Embeddings of the caller, [1 or images, tokens, features], one per image.
at::Tensor given_embeddings(const Model& model, const Array& array, std::int64_t images, const std::string& what) {
  const auto tensor = to_tensor(array, what);
  const auto& unet = model.unet->config();
  const auto features = unet.encoder_hid_dim.value_or(unet.cross_attention_dim.front());
  check(tensor.dim() == 3 && (tensor.size(0) == 1 || tensor.size(0) == images) && tensor.size(1) >= 1 &&
            tensor.size(2) == features,
        ErrorCode::kInvalidArgument, what, " must be [1 or ", images, ", tokens, ", features, "], got ",
        tensor.sizes());
  check(tensor.isfinite().all().item<bool>(), ErrorCode::kInvalidArgument, what, " must be finite");
  return tensor.to(model.device, model.dtype).expand({images, -1, -1});
}

bool is_given(const Array& array) { return !array.shape.empty() || !array.values.empty(); }

// Sinusoids of the guidance scale, eq. in arXiv:2210.03142; reference: get_guidance_scale_embedding.
at::Tensor embed_guidance(double guidance, std::int64_t images, std::int64_t dim) {
  const auto half = dim / 2;
  const auto exponent = at::arange(half, at::kFloat) * -(std::log(10000.0) / static_cast<double>(half - 1));
  const auto angles = at::full({images, 1}, (guidance - 1) * 1000.0, at::kFloat) * exponent.exp().unsqueeze(0);
  return at::cat({angles.sin(), angles.cos()}, 1);
}

}  // namespace

at::Tensor TextStates::of(const std::string& prompt) {
  const auto tokens = model_.tokenizer->encode(prompt);
  if (tokens.truncated) {
    warnings_.push_back(concat("the prompt has ", tokens.total_tokens, " tokens; it was cut to ", tokens.ids.size()));
  }
  auto ids = at::empty({1, static_cast<std::int64_t>(tokens.ids.size())}, at::kLong);
  std::copy(tokens.ids.begin(), tokens.ids.end(), ids.mutable_data_ptr<std::int64_t>());
  if (encoder_ == nullptr) encoder_ = model_.text_encoder();
  return encoder_->forward(ids.to(model_.device)).last_hidden_state;
}

Conditioning make_conditioning(const Model& model, const Request& request, std::vector<std::string>& warnings) {
  const auto guidance_dim = model.unet->config().time_cond_proj_dim;
  TextStates text(model, warnings);
  const auto states = [&](const Array& given, const std::string& prompt, const char* what) {
    if (is_given(given)) return given_embeddings(model, given, request.images, what);
    return text.of(prompt).expand({request.images, -1, -1});
  };
  Conditioning out;
  out.guided = *request.guidance > 1 && !guidance_dim;
  out.text = states(request.embeddings.positive, request.prompt, "embeddings.positive");
  if (out.guided) {
    const auto negative = states(request.embeddings.negative, request.negative_prompt, "embeddings.negative");
    check(negative.size(1) == out.text.size(1), ErrorCode::kInvalidArgument,
          "embeddings.positive and embeddings.negative must have equally many tokens, got ", out.text.size(1), " and ",
          negative.size(1));
    out.text = at::cat({negative, out.text});
  }
  if (guidance_dim) {
    out.guidance = embed_guidance(*request.guidance, request.images, *guidance_dim).to(model.device, model.dtype);
  }
  return out;
}

}  // namespace fjord::pipeline
