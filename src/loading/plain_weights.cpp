#include "loading/plain_weights.h"

#include "config/int4.h"
#include "core/check.h"
#include "nn/module.h"

#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

#include <vector>

namespace fjord::loading {

PlainWeights::PlainWeights(const WeightsPlace& place) : checkpoint_(*place.source, place.folder, place.stem) {
  for (const auto& file_name : checkpoint_.names())
    file_names_.emplace(module_name(file_name, *place.rules), file_name);
}

at::Tensor PlainWeights::read(const std::string& name, at::IntArrayRef shape) const {
  const auto found = file_names_.find(name);
  check(found != file_names_.end(), ErrorCode::kBadFile, "the model's files have no ", fjord::quoted(name),
        " any more");
  const auto& entry = *checkpoint_.find(found->second);
  const bool int4 = entry.type == at::kByte, int8 = entry.type == at::kChar;
  const auto length = c10::multiply_integers(shape.slice(1));
  const auto stored = int4 ? std::vector<std::int64_t>{shape[0], (length + 1) / 2} : shape.vec();
  check(shape_fits(entry.shape, stored), ErrorCode::kBadFile, "the model's files have ", fjord::quoted(name),
        " in another shape than when it was loaded, ", at::IntArrayRef(entry.shape), " instead of ",
        at::IntArrayRef(stored));
  auto weight = at::empty(stored, int4 ? at::kByte : int8 ? at::kChar : at::kFloat);
  checkpoint_.read_into(found->second, weight);
  if (!int4 && !int8) return weight;
  auto factors =
      int4 ? at::empty({shape[0], config::int4_groups(length)}, at::kBFloat16) : at::empty({shape[0]}, at::kFloat);
  checkpoint_.read_into(file_names_.at(scale_name(name)), factors);
  const auto kind = int4 ? kernels::WeightKind::kInt4 : kernels::WeightKind::kInt8;
  return ops::plain_numbers({weight, kind, factors, length}).view(shape);
}

}  // namespace fjord::loading
