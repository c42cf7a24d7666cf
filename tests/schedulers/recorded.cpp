// The reader is as small as it can be, so that it does not share its mistakes with the library's own.
#include "schedulers/recorded.h"

#include "loading/scheduler_config.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fjord::testing {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

at::ScalarType dtype_of(const std::string& name) {
  if (name == "F64") return at::kDouble;
  if (name == "F32") return at::kFloat;
  if (name == "BF16") return at::kBFloat16;
  if (name == "I32" || name == "U32") return at::kInt;
  throw std::runtime_error("dtype " + name);
}

Tensors read_tensors(const fs::path& path) {
  std::string bytes = content(path);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  const auto json = nlohmann::json::parse(bytes.substr(8, header));
  Tensors tensors;
  for (const auto& [key, entry] : json.items()) {
    if (key == "__metadata__") continue;
    char* data = bytes.data() + 8 + header + entry["data_offsets"][0].get<size_t>();
    const auto shape = entry["shape"].get<std::vector<std::int64_t>>();
    tensors[key] = at::from_blob(data, shape, dtype_of(entry["dtype"])).clone();
  }
  return tensors;
}

// Whether whole tensors' square roots, logarithms and exponentials end in the bits recorded in `folder`.
bool has_arithmetic_of(const fs::path& folder) {
  const Tensors probe = read_tensors(folder / "probe.safetensors");
  const at::Tensor& x = probe.at("input");
  return x.sqrt().equal(probe.at("sqrt")) && x.log().equal(probe.at("log")) && x.exp().equal(probe.at("exp"));
}

// tests/reference/processor.py tells what lies where.
fs::path recording(const std::string& folder, const std::string& file) {
  const fs::path data = FJORD_TEST_DATA;
  const fs::path other = data / (folder + "_intel");
  static const bool is_intel = has_arithmetic_of(data / "schedulers_intel");
  return is_intel && fs::exists(other / file) ? other / file : data / folder / file;
}

}  // namespace

Tensors recorded_tensors(const std::string& name, const std::string& folder) {
  return read_tensors(recording(folder, name + ".safetensors"));
}

nlohmann::json recorded_list(const std::string& name, const std::string& folder) {
  return nlohmann::json::parse(content(recording(folder, name + ".json")));
}

const Tensors& solver_tensors() {
  static const auto loaded = recorded_tensors("trajectories", "solvers");
  return loaded;
}

const nlohmann::json& solver_cases() {
  static const auto loaded = recorded_list("cases", "solvers");
  return loaded;
}

config::Scheduler recorded_config(const nlohmann::json& config) {
  auto fields = config;
  if (fields.value("noise_sampler_seed", nlohmann::json()).is_array()) fields.erase("noise_sampler_seed");
  auto result = loading::read_scheduler_config(fields.dump(), "a recorded case");
  for (const char* option : {"eta", "s_churn", "s_tmin", "s_tmax", "s_noise", "sigma_table"}) {
    if (config.contains(option)) loading::apply_option(result, option, config[option].dump());
  }
  if (fields != config) result.request_seeds = config["noise_sampler_seed"].get<std::vector<std::uint64_t>>();
  return result;
}

SchedulePlan recorded_plan(const nlohmann::json& plan) {
  if (plan.is_object()) return {0, {}, plan["sigmas"].get<std::vector<double>>()};
  if (plan.is_array()) return {0, plan.get<std::vector<double>>()};
  return {plan.get<int>(), {}};
}

at::Tensor network(const at::Tensor& x, double t, const at::Tensor& bias, const std::string& variance_type) {
  const at::Tensor prediction = at::tanh(x * 0.8 + bias) * (0.9 + 0.1 * std::cos(t * 0.01));
  if (variance_type == "learned_range") return at::cat({prediction, at::tanh(bias - x * 0.5)}, 1);
  if (variance_type == "learned") return at::cat({prediction, at::tanh(bias - x * 0.5) * 0.04 + 0.05}, 1);
  return prediction;
}

double relative_error(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor wide = b.to(at::kDouble);
  return ((a.to(at::kDouble) - wide).abs().max() / wide.abs().max()).item<double>();
}

config::Scheduler options_config(const std::string& name, const std::map<std::string, std::string>& options) {
  config::Scheduler config;
  config.class_name = name;
  for (const auto& [key, value] : options) loading::apply_option(config, key, value);
  return config;
}

}  // namespace fjord::testing
