#include "adapters/factors.h"

#include "core/check.h"

#include <ATen/ops/einsum.h>
#include <ATen/ops/kron.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>

#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace fjord::adapters {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

// The roles of one way of writing a change.
using Roles = std::set<std::string>;

// Every complete set of factors; none is part of another with the same factor "down", "hada_w1_a", ...
const std::vector<Roles>& complete_sets() {
  static const std::vector<Roles> sets{
      {"down", "up"},
      {"down", "up", "mid"},
      {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"},
      {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"},
      {"lokr_w1", "lokr_w2"},
      {"lokr_w1", "lokr_w2_a", "lokr_w2_b"},
      {"lokr_w1", "lokr_w2_a", "lokr_w2_b", "lokr_t2"},
      {"lokr_w1_a", "lokr_w1_b", "lokr_w2"},
      {"lokr_w1_a", "lokr_w1_b", "lokr_w2_a", "lokr_w2_b"},
      {"lokr_w1_a", "lokr_w1_b", "lokr_w2_a", "lokr_w2_b", "lokr_t2"},
      {"diff"},
      {},
  };
  return sets;
}

std::int64_t product(const std::vector<std::int64_t>& sizes, size_t from) {
  std::int64_t out = 1;
  for (size_t i = from; i < sizes.size(); ++i) out *= sizes[i];
  return out;
}

std::string listed(const Roles& roles) {
  std::string out;
  for (const auto& role : roles) out += (out.empty() ? "" : ", ") + role;
  return out;
}

at::Tensor take(Tensors& tensors, const std::string& role) {
  const auto found = tensors.find(role);
  if (found == tensors.end()) return {};
  auto out = std::move(found->second);
  tensors.erase(found);
  return out;
}

// The factors of one layer while they are checked.
struct Checker {
  const Layer& layer;
  const Tensors& tensors;

  const at::Tensor& get(const std::string& role) const { return tensors.at(role); }
  bool has(const std::string& role) const { return tensors.contains(role); }

  void complete() const {
    Roles roles;
    for (const auto& [role, tensor] : tensors) roles.insert(role);
    for (const auto& set : complete_sets()) {
      if (roles == set) return;
    }
    fail(ErrorCode::kBadFile, layer.name, " has the factors ", listed(roles), ", which make no whole change");
  }
  void finite() const {
    for (const auto& [role, tensor] : tensors) {
      check(tensor.dim() > 0, ErrorCode::kBadFile, layer.name, ": ", role, " must be a list or a matrix, got a number");
      check(tensor.numel() > 0, ErrorCode::kBadFile, layer.name, ": ", role, " is ", tensor.sizes(),
            ", a change of rank 0");
      check(tensor.isfinite().all().item<bool>(), ErrorCode::kNonFinite, layer.name, ": ", role,
            " has NaN or infinity");
    }
  }
  // Equal, but for sizes of 1 at the end.
  void shape(const std::string& role, std::vector<std::int64_t> wanted) const {
    auto sizes = get(role).sizes().vec();
    while (sizes.size() > 1 && sizes.back() == 1) sizes.pop_back();
    const auto full = wanted;
    while (wanted.size() > 1 && wanted.back() == 1) wanted.pop_back();
    check(sizes == wanted, ErrorCode::kBadFile, layer.name, ": ", role, " must be ", at::IntArrayRef(full), ", got ",
          get(role).sizes());
  }
};

std::vector<std::int64_t> with_kernel(std::vector<std::int64_t> sizes, const Layer& layer) {
  sizes.insert(sizes.end(), layer.weight.begin() + 2, layer.weight.end());
  return sizes;
}

void check_low_rank(const Checker& c) {
  const auto out = c.layer.weight[0], in = c.layer.weight[1], rank = c.get("down").size(0);
  c.shape("up", {out, rank});
  if (!c.has("mid")) return c.shape("down", with_kernel({rank, in}, c.layer));
  c.shape("down", {rank, in});
  c.shape("mid", with_kernel({rank, rank}, c.layer));
}

// a b, or with a core t (Tucker): sum over i, j of t[i, j, ...] b[j, in] a[i, out].
void check_product(const Checker& c, const std::string& name, const std::string& core, std::int64_t out,
                   std::int64_t in) {
  const auto a = name + "_a", b = name + "_b";
  const auto rank = c.get(b).size(0);
  if (!c.has(core)) {
    c.shape(a, {out, rank});
    return c.shape(b, {rank, in * product(c.layer.weight, 2)});
  }
  c.shape(a, {rank, out});
  c.shape(b, {rank, in});
  c.shape(core, with_kernel({rank, rank}, c.layer));
}

void check_hadamard(const Checker& c) {
  check_product(c, "hada_w1", "hada_t1", c.layer.weight[0], c.layer.weight[1]);
  check_product(c, "hada_w2", "hada_t2", c.layer.weight[0], c.layer.weight[1]);
}

void check_kronecker(const Checker& c) {
  const bool whole = c.has("lokr_w1");
  const auto out1 = whole ? c.get("lokr_w1").size(0) : c.get("lokr_w1_a").size(0);
  const auto in1 = c.get(whole ? "lokr_w1" : "lokr_w1_b").numel() / (whole ? out1 : c.get("lokr_w1_b").size(0));
  const auto out = c.layer.weight[0], in = c.layer.weight[1];
  check(out % out1 == 0 && in % in1 == 0, ErrorCode::kBadFile, c.layer.name, ": lokr_w1 stands for ", out1, "x", in1,
        ", which does not divide the layer's ", out, "x", in);
  if (!whole) c.shape("lokr_w1_a", {out1, c.get("lokr_w1_b").size(0)});
  if (c.has("lokr_w2")) return c.shape("lokr_w2", with_kernel({out / out1, in / in1}, c.layer));
  check_product(c, "lokr_w2", "lokr_t2", out / out1, in / in1);
}

void check_shapes(const Checker& c) {
  if (c.has("diff")) return c.shape("diff", c.layer.weight);
  if (c.tensors.empty()) return;
  check(c.layer.kind != LayerKind::kNorm, ErrorCode::kBadFile, c.layer.name,
        " is a normalisation, which takes diff and diff_b only");
  if (c.has("down")) return check_low_rank(c);
  c.has("hada_w1_a") ? check_hadamard(c) : check_kronecker(c);
}

// The number that alpha is divided by; none where the factors show none.
std::optional<double> rank_of(const Tensors& tensors, const Scaling& scaling) {
  for (const char* role : {"down", "hada_w1_b"}) {
    if (tensors.contains(role)) return static_cast<double>(tensors.at(role).size(0));
  }
  if (scaling.rank) return scaling.rank;
  for (const char* role : {"lokr_w2_b", "lokr_w1_b"}) {
    if (tensors.contains(role)) return static_cast<double>(tensors.at(role).size(0));
  }
  return std::nullopt;
}

double scale_of(const Tensors& tensors, const Layer& layer, const Scaling& scaling) {
  const auto rank = rank_of(tensors, scaling);
  if (!rank || !scaling.alpha) return 1;
  check(std::isfinite(*scaling.alpha), ErrorCode::kBadFile, layer.name, ": alpha must be finite, got ", *scaling.alpha);
  return *scaling.alpha / (scaling.rank_stabilized ? std::sqrt(*rank) : *rank);
}

// One length for every output, or, as old LyCORIS files have it ([1, in, ...]), for every input.
at::Tensor shaped_magnitude(const at::Tensor& magnitude, const Layer& layer, bool by_inputs) {
  std::vector<std::int64_t> sizes(layer.weight.size(), 1);
  const auto place = by_inputs ? 1u : 0u;
  sizes[place] = layer.weight[place];
  check(magnitude.numel() == sizes[place], ErrorCode::kBadFile, layer.name, ": the magnitude of DoRA must have ",
        sizes[place], " numbers, got ", magnitude.sizes());
  return magnitude.reshape(sizes);
}

at::Tensor take_magnitude(Tensors& tensors, const Layer& layer) {
  if (const auto magnitude = take(tensors, "magnitude"); magnitude.defined()) {
    return shaped_magnitude(magnitude, layer, false);
  }
  const auto scale = take(tensors, "dora_scale");
  if (!scale.defined()) return {};
  const bool by_inputs = scale.dim() >= 2 && scale.size(0) == 1 && layer.weight[0] != 1;
  return shaped_magnitude(scale, layer, by_inputs);
}

at::Tensor take_bias(Tensors& tensors, const Layer& layer, double scale) {
  at::Tensor bias;
  if (const auto diff = take(tensors, "diff_b"); diff.defined()) bias = diff;
  if (const auto up = take(tensors, "up_bias"); up.defined()) bias = bias.defined() ? bias + up * scale : up * scale;
  check(!bias.defined() || bias.sizes() == at::IntArrayRef{layer.weight[0]}, ErrorCode::kBadFile, layer.name,
        ": the change of the bias must have ", layer.weight[0], " numbers, got ",
        bias.defined() ? bias.sizes() : at::IntArrayRef());
  return bias;
}

// [out, in * kernel] of a product of two factors.
at::Tensor multiplied(const Tensors& t, const std::string& name, const std::string& core) {
  const auto &a = t.at(name + "_a"), &b = t.at(name + "_b");
  if (!t.contains(core)) return at::matmul(a, b);
  return at::einsum("ijkl,jr,ip->prkl", {t.at(core), b, a}).flatten(1);
}

// up down, or with a middle: sum over n, m of mid[n, m, ...] up[out, n] down[m, in].
at::Tensor low_rank(const Tensors& t) {
  const auto up = t.at("up").flatten(1), down = t.at("down").flatten(1);
  if (!t.contains("mid")) return at::matmul(up, down);
  return at::einsum("nmkl,in,mj->ijkl", {t.at("mid"), up, down});
}

at::Tensor kronecker(const Tensors& t) {
  const auto w1 = t.contains("lokr_w1") ? t.at("lokr_w1").flatten(1) : multiplied(t, "lokr_w1", "");
  const auto w2 = t.contains("lokr_w2") ? t.at("lokr_w2").flatten(1) : multiplied(t, "lokr_w2", "lokr_t2");
  return at::kron(w1, w2.contiguous());
}

at::Tensor plain_change(const Tensors& t, at::IntArrayRef shape) {
  if (t.contains("down")) return low_rank(t).reshape(shape);
  if (t.contains("diff")) return t.at("diff").reshape(shape);
  if (t.contains("lokr_w1") || t.contains("lokr_w1_a")) return kronecker(t).reshape(shape);
  return (multiplied(t, "hada_w1", "hada_t1") * multiplied(t, "hada_w2", "hada_t2")).reshape(shape);
}

// The lengths that a magnitude of this shape replaces.
at::Tensor lengths(const at::Tensor& weight, const at::Tensor& magnitude) {
  std::vector<std::int64_t> along;
  for (std::int64_t i = 0; i < weight.dim(); ++i) {
    if (magnitude.size(i) == 1 && !(i == 0 && magnitude.numel() == 1)) along.push_back(i);
  }
  return at::linalg_vector_norm(weight, 2, along, /*keepdim=*/true);
}

}  // namespace

Factors make_factors(Tensors tensors, const Layer& layer, const Scaling& scaling) {
  const Checker all{layer, tensors};
  all.finite();
  Factors out;
  out.magnitude = take_magnitude(tensors, layer);
  out.scale = scale_of(tensors, layer, scaling);
  out.bias = take_bias(tensors, layer, out.scale);
  all.complete();
  check(!tensors.empty() || (out.bias.defined() && !out.magnitude.defined()), ErrorCode::kBadFile, layer.name,
        " has no factors, only what belongs to them");
  check_shapes(all);
  out.tensors = std::move(tensors);
  return out;
}

at::Tensor change_of_weight(const Factors& factors, const at::Tensor& weight, double strength) {
  const auto change = plain_change(factors.tensors, weight.sizes()) * (factors.scale * strength);
  if (!factors.magnitude.defined()) return change;
  const auto changed = weight + change;
  return changed * (factors.magnitude / lengths(changed, factors.magnitude)) - weight;
}

}  // namespace fjord::adapters
