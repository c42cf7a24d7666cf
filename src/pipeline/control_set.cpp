#include "pipeline/control_set.h"

#include "core/check.h"
#include "core/memory_pool.h"
#include "loading/control_file.h"
#include "loading/load_into.h"
#include "pipeline/adapter_set.h"
#include "pipeline/cuda_setup.h"

#include <utility>
#include <variant>

namespace fjord {

const ControlInfo& Control::info() const {
  static const ControlInfo empty;
  return impl_ ? impl_->info : empty;
}

Control ControlAccess::make(Impl impl) {
  Control out;
  out.impl_ = std::make_shared<const Impl>(std::move(impl));
  return out;
}

namespace pipeline {
namespace {

template <typename Network, typename Config>
std::shared_ptr<Network> read_network(const loading::ControlFile& file, const Config& config, const Model& model) {
  check_control_fit(config, model, file.where);
  const auto weights = MemoryPool::create(MemoryPool::Pages::kSmall);  // lives as long as the tensors in it
  const PoolScope scope(weights.get());
  auto network = std::make_shared<Network>(config, model.adapters->options);
  loading::load_into(*network, *file.weights, loading::KeyRules{}, file.where, {model.adapters->kernels});
  prepare_for_gpu(*network, model.cuda_paths);
  return network;
}

// The kernels that attend in the U-Net attend here as well.
void use_attention(models::ControlNetModel& net, const std::string& name) {
  for (const auto& [key, module] : net.modules()) {
    if (auto* attention = dynamic_cast<models::Attention*>(module)) attention->use_cuda_kernel(name);
  }
}

void count(const loading::Checkpoint& weights, at::ScalarType dtype, ControlAccess::Impl& impl) {
  for (const auto& name : weights.names()) {
    const auto& entry = *weights.find(name);
    std::uint64_t numbers = 1;
    for (const auto extent : entry.shape) numbers *= static_cast<std::uint64_t>(extent);
    impl.info.parameters += numbers;
    impl.weight_bytes += numbers * (entry.type == at::kChar ? 1 : c10::elementSize(dtype));
  }
}

Control loaded(const loading::ControlFile& file, const Model& model, const std::string& path) {
  ControlAccess::Impl impl;
  impl.home = model.adapters;
  impl.info.path = path;
  impl.info.notes = file.notes;
  if (const auto* control = std::get_if<config::ControlNet>(&file.config)) {
    auto net = read_network<models::ControlNetModel>(file, *control, model);
    use_attention(*net, model.adapters->attention);
    impl.net = std::move(net);
    impl.info.picture_channels = static_cast<int>(control->conditioning_channels);
  } else {
    const auto& adapter = std::get<config::T2IAdapter>(file.config);
    impl.adapter = read_network<models::T2IAdapter>(file, adapter, model);
    impl.info.kind = ControlKind::kT2IAdapter;
    impl.info.type = adapter.adapter_type;
    impl.info.picture_channels = static_cast<int>(adapter.in_channels);
  }
  count(*file.weights, model.dtype, impl);
  return ControlAccess::make(std::move(impl));
}

}  // namespace

Control load_control(const Model& model, const std::string& path) {
  return loaded(loading::open_control(path, model.unet->config()), model, path);
}

Control load_control(const Model& model, std::shared_ptr<const Storage> storage) {
  return loaded(loading::open_control_folder(*loading::open_storage(std::move(storage))), model, "the storage");
}

}  // namespace pipeline
}  // namespace fjord
