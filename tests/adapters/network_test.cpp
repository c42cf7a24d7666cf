// U-Nets with adapters against diffusers and peft, and against the base network that they share their weights with.
#include "adapters/adapted_tree.h"
#include "adapters/read_file.h"
#include "adapters/seeded_adapter.h"
#include "loading/checkpoint.h"
#include "models/unet_cases.h"
#include "support/seeded_weights.h"
#include "support/temp_folder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace fjord::testing {
namespace {

using adapters::Merge;
using adapters::Use;

const nlohmann::json& all_cases() {
  static const auto cases = read_adapter_cases("networks");
  return cases;
}

// A network of the reference with its plain weights kept aside, as the model's files would give them.
struct Network {
  Network(const std::string& name, const kernels::CpuKernels* kernels_in)
      : unet(make_unet(name)), layers(adapters::NetworkLayers::of_unet(unet->config())), kernels(kernels_in) {
    for (const auto& [parameter, tensor] : unet->named_parameters()) plain.emplace(parameter, tensor->clone());
    if (kernels != nullptr) unet->pack_all(*kernels);
  }

  std::vector<Use> uses(const nlohmann::json& test) const {
    std::vector<Use> out;
    for (size_t i = 0; i < test.at("files").size(); ++i) {
      const TempFolder folder;
      auto changes = adapters::read_adapter_file(write_adapter(test.at("files")[i], folder.path()), {&layers});
      out.push_back({std::make_shared<const adapters::NetworkChanges>(std::move(changes[0]), at::kFloat, kernels),
                     test.at("strengths")[i].get<double>()});
    }
    return out;
  }

  std::unique_ptr<models::UNet2DConditionModel> adapted(const std::vector<Use>& list, Merge what) const {
    auto tree = std::make_unique<models::UNet2DConditionModel>(unet->config(), at::TensorOptions().device(at::kMeta));
    tree->share_all(*unet);
    const auto read = [this](const adapters::Layer& layer) { return plain.at(layer.name + ".weight"); };
    adapters::merge_into(*tree, list, read, what);
    for (const auto& use : list) use.changes->add_to(*tree, use.strength, what);
    return tree;
  }

  std::unique_ptr<models::UNet2DConditionModel> unet;
  adapters::NetworkLayers layers;
  const kernels::CpuKernels* kernels;
  std::map<std::string, at::Tensor> plain;
};

at::Tensor run(const models::UNet2DConditionModel& unet) {
  return unet.forward(unet_inputs(unet.config(), {2, 4, 8, 8}));
}

const kernels::CpuKernels* best_kernels() { return kernels::supported_cpu_kernels().front(); }

class NetworkParityTest : public ::testing::TestWithParam<std::string> {};

TEST_P(NetworkParityTest, OutputEqualsTheReference) {
  const auto& test = all_cases().at(GetParam());
  const auto expected = recorded_tensor("adapters/networks", GetParam());
  for (const auto* kernels : {static_cast<const kernels::CpuKernels*>(nullptr), best_kernels()}) {
    const Network network(test.at("network").get<std::string>(), kernels);
    const auto uses = network.uses(test);
    for (const auto what : {Merge::kWhatMust, Merge::kEverything}) {
      // Winograd's convolutions err by 1.5 times what direct ones do (docs/numerics.md).
      EXPECT_LT(relative_error(run(*network.adapted(uses, what)), expected), kernels == nullptr ? 1e-5 : 2e-5)
          << (kernels == nullptr ? "reference" : kernels->name) << (what == Merge::kWhatMust ? "" : ", all merged");
    }
  }
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& item : all_cases().items()) out.push_back(item.key());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Cases, NetworkParityTest, ::testing::ValuesIn(names()),
                         [](const auto& each) { return each.param; });

TEST(AdaptedTreeTest, BaseStaysBitIdenticalBesideAdaptedTrees) {
  const Network network("unet_sd1", best_kernels());
  const auto before = run(*network.unet);
  for (const char* name : {"peft_lora", "peft_loha", "peft_dora", "full"}) {
    const auto adapted = network.adapted(network.uses(all_cases().at(name)), Merge::kWhatMust);
    EXPECT_FALSE(at::equal(run(*adapted), before)) << name;
    EXPECT_TRUE(at::equal(run(*network.unet), before)) << name;
  }
}

TEST(AdaptedTreeTest, TreeWithoutAdaptersIsTheBaseBitForBit) {
  for (const auto* kernels : {static_cast<const kernels::CpuKernels*>(nullptr), best_kernels()}) {
    const Network network("unet_sdxl", kernels);
    EXPECT_TRUE(at::equal(run(*network.adapted({}, Merge::kWhatMust)), run(*network.unet)));
  }
}

TEST(AdaptedTreeTest, UnchangedLayersShareTheirMemory) {
  const Network network("unet_sd1", nullptr);
  const auto adapted = network.adapted(network.uses(all_cases().at("peft_loha")), Merge::kWhatMust);
  EXPECT_EQ(adapted->conv_in.weight.data_ptr(), network.unet->conv_in.weight.data_ptr());
}

TEST(AdaptedTreeTest, BFloat16IsNearFloat32) {
  const auto& test = all_cases().at("kohya_sd1");
  const auto expected = recorded_tensor("adapters/networks", "kohya_sd1");
  Network network("unet_sd1", nullptr);
  models::UNet2DConditionModel half(network.unet->config(), at::kBFloat16);
  auto parameters = half.named_parameters();
  for (const auto& [name, tensor] : parameters) tensor->copy_(network.plain.at(name));
  half.pack_all(*best_kernels());
  models::UNet2DConditionModel tree(half.config(), at::TensorOptions().device(at::kMeta));
  tree.share_all(half);
  const TempFolder folder;
  auto changes = adapters::read_adapter_file(write_adapter(test.at("files")[0], folder.path()), {&network.layers});
  const adapters::NetworkChanges ready(std::move(changes[0]), at::kBFloat16, best_kernels());
  ready.add_to(tree, 1.0, Merge::kWhatMust);
  auto input = unet_inputs(half.config(), {2, 4, 8, 8});
  input.sample = input.sample.to(at::kBFloat16);
  input.encoder_hidden_states = input.encoder_hidden_states.to(at::kBFloat16);
  // bfloat16 keeps 8 bits, and errors of 1/256 add up over some hundred layers.
  EXPECT_LT(relative_error(tree.forward(input), expected), 0.05);
}

}  // namespace
}  // namespace fjord::testing
