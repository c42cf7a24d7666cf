#include "loading/plain_weights.h"

#include "core/check.h"

#include <ATen/ops/empty.h>

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
  check(shape_fits(entry.shape, shape), ErrorCode::kBadFile, "the model's files have ", fjord::quoted(name),
        " in another shape than when it was loaded, ", at::IntArrayRef(entry.shape), " instead of ", shape);
  auto weight = at::empty(shape, at::kFloat);
  checkpoint_.read_into(found->second, weight);
  if (entry.type != at::kChar) return weight;
  auto factors = at::empty({shape[0]}, at::kFloat);
  checkpoint_.read_into(file_names_.at(scale_name(name)), factors);
  std::vector<std::int64_t> along_rows(shape.size(), 1);
  along_rows.front() = shape[0];
  return weight.mul_(factors.view(along_rows));
}

}  // namespace fjord::loading
