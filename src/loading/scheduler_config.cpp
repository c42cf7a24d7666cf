// One table says which field has which type, range and owner; reading and options both walk over it.
#include "loading/scheduler_config.h"

#include "core/check.h"
#include "loading/sigma_tables.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <variant>

namespace fjord::loading {
namespace {

using Json = nlohmann::json;
using config::Scheduler;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTiny = 1e-12;  // lower bound of numbers that must be above 0
constexpr size_t kMaxTextSize = size_t{1} << 20;
constexpr int kMaxDepth = 64;
constexpr int kMaxTrainTimesteps = 100000;
constexpr double kMaxSeed = 9007199254740992;  // 2^53: what survives the way through a double

using Member = std::variant<std::optional<bool> Scheduler::*, std::optional<std::int64_t> Scheduler::*,
                            std::optional<double> Scheduler::*, std::optional<std::string> Scheduler::*,
                            std::optional<std::vector<double>> Scheduler::*>;

// Which classes read a field.
enum Owner : unsigned {
  kDdpm = 1u << 0,
  kDdim = 1u << 1,
  kMulti = 1u << 2,
  kSingle = 1u << 3,
  kPndm = 1u << 4,
  kDeis = 1u << 5,
  kUniPc = 1u << 6,
  kEuler = 1u << 7,
  kEulerAncestral = 1u << 8,
  kHeun = 1u << 9,
  kLms = 1u << 10,
  kKdpm2 = 1u << 11,  // and its ancestral form
  kSde = 1u << 12,
  kLcm = 1u << 13,
  kTcd = 1u << 14,
  kAll = (1u << 15) - 1,
  kDpm = kMulti | kSingle,
  kSolvers = kDpm | kDeis | kUniPc,
  kSpreading = kSolvers | kEuler | kHeun | kLms | kKdpm2 | kSde,
  kSpaced = kAll & ~(kSingle | kLcm | kTcd),
  kThresholding = kDdpm | kDdim | kSolvers | kLcm,
};

struct Class {
  const char* name;
  unsigned owner;
};

constexpr std::array kClasses{
    Class{"DDPMScheduler", kDdpm},
    Class{"DDIMScheduler", kDdim},
    Class{"DPMSolverMultistepScheduler", kMulti},
    Class{"DPMSolverSinglestepScheduler", kSingle},
    Class{"PNDMScheduler", kPndm},
    Class{"DEISMultistepScheduler", kDeis},
    Class{"UniPCMultistepScheduler", kUniPc},
    Class{"EulerDiscreteScheduler", kEuler},
    Class{"EulerAncestralDiscreteScheduler", kEulerAncestral},
    Class{"HeunDiscreteScheduler", kHeun},
    Class{"LMSDiscreteScheduler", kLms},
    Class{"KDPM2DiscreteScheduler", kKdpm2},
    Class{"KDPM2AncestralDiscreteScheduler", kKdpm2},
    Class{"DPMSolverSDEScheduler", kSde},
    Class{"LCMScheduler", kLcm},
    Class{"TCDScheduler", kTcd},
};

struct Field {
  const char* key;
  Member member;
  unsigned owners = kAll;
  double low = -kInfinity;  // for numbers, and for each number of a list
  double high = kInfinity;
  bool option_only = false;   // no field of the file
  bool may_be_null = false;   // null is the reference's own default there
  bool may_be_empty = false;  // of a list
};

const std::array kFields{
    Field{"num_train_timesteps", &Scheduler::num_train_timesteps, kAll, 2, kMaxTrainTimesteps},
    Field{"beta_start", &Scheduler::beta_start, kAll, kTiny, 1},
    Field{"beta_end", &Scheduler::beta_end, kAll, kTiny, 1},
    Field{"beta_schedule", &Scheduler::beta_schedule},
    Field{"trained_betas", &Scheduler::trained_betas, kAll, kTiny, 1, false, true},
    Field{"rescale_betas_zero_snr", &Scheduler::rescale_betas_zero_snr,
          kDdpm | kDdim | kMulti | kUniPc | kEuler | kEulerAncestral | kLcm | kTcd},
    Field{"prediction_type", &Scheduler::prediction_type},
    Field{"variance_type", &Scheduler::variance_type, kDdpm | kDpm, 0, 0, false, true},
    Field{"timestep_spacing", &Scheduler::timestep_spacing, kSpaced},
    Field{"steps_offset", &Scheduler::steps_offset, kSpaced, 0, kMaxTrainTimesteps},
    Field{"clip_sample", &Scheduler::clip_sample, kDdpm | kDdim | kHeun | kLcm},
    Field{"clip_sample_range", &Scheduler::clip_sample_range, kDdpm | kDdim | kHeun | kLcm, kTiny},
    Field{"thresholding", &Scheduler::thresholding, kThresholding},
    Field{"dynamic_thresholding_ratio", &Scheduler::dynamic_thresholding_ratio, kThresholding, 0, 1},
    Field{"sample_max_value", &Scheduler::sample_max_value, kThresholding, kTiny},
    Field{"set_alpha_to_one", &Scheduler::set_alpha_to_one, kDdim | kPndm},
    Field{"eta", &Scheduler::eta, kDdim | kTcd, 0, 1, true},
    Field{"skip_prk_steps", &Scheduler::skip_prk_steps, kPndm},
    Field{"original_inference_steps", &Scheduler::original_inference_steps, kLcm | kTcd, 1, kMaxTrainTimesteps},
    Field{"timestep_scaling", &Scheduler::timestep_scaling, kLcm, kTiny},
    Field{"solver_order", &Scheduler::solver_order, kSolvers, 1, 3},
    Field{"algorithm_type", &Scheduler::algorithm_type, kDpm | kDeis},
    Field{"solver_type", &Scheduler::solver_type, kSolvers},
    Field{"lower_order_final", &Scheduler::lower_order_final, kSolvers},
    Field{"euler_at_final", &Scheduler::euler_at_final, kMulti},
    Field{"predict_x0", &Scheduler::predict_x0, kUniPc},
    Field{"disable_corrector", &Scheduler::disable_corrector, kUniPc, 0, kMaxTrainTimesteps, false, true, true},
    Field{"use_karras_sigmas", &Scheduler::use_karras_sigmas, kSpreading},
    Field{"use_exponential_sigmas", &Scheduler::use_exponential_sigmas, kSpreading},
    Field{"use_beta_sigmas", &Scheduler::use_beta_sigmas, kSpreading},
    Field{"use_lu_lambdas", &Scheduler::use_lu_lambdas, kMulti},
    Field{"use_flow_sigmas", &Scheduler::use_flow_sigmas, kSolvers},
    Field{"use_dynamic_shifting", &Scheduler::use_dynamic_shifting, kSolvers},
    Field{"flow_shift", &Scheduler::flow_shift, kSolvers},
    Field{"time_shift_type", &Scheduler::time_shift_type, kSolvers},
    Field{"final_sigmas_type", &Scheduler::final_sigmas_type, kDpm | kUniPc | kEuler},
    Field{"lambda_min_clipped", &Scheduler::lambda_min_clipped, kDpm},
    Field{"sigma_min", &Scheduler::sigma_min, kEuler | kUniPc, kTiny, kInfinity, false, true},
    Field{"sigma_max", &Scheduler::sigma_max, kEuler | kUniPc, kTiny, kInfinity, false, true},
    Field{"interpolation_type", &Scheduler::interpolation_type, kEuler},
    Field{"timestep_type", &Scheduler::timestep_type, kEuler},
    Field{"s_churn", &Scheduler::s_churn, kEuler, 0, kInfinity, true},
    Field{"s_tmin", &Scheduler::s_tmin, kEuler, 0, kInfinity, true},
    Field{"s_tmax", &Scheduler::s_tmax, kEuler, 0, kInfinity, true},
    Field{"s_noise", &Scheduler::s_noise, kEuler | kSde, 0, kInfinity, true},
    Field{"noise_sampler_seed", &Scheduler::noise_sampler_seed, kSde, 0, kMaxSeed, false, true},
    Field{"sigma_table", &Scheduler::sigma_table, kSpreading | kEulerAncestral, kTiny, kInfinity, true},
};

// Says what is wrong with a value: "<place>: expected <expected> for <key>, got <value>".
struct Complaint {
  ErrorCode code;
  std::string place;

  [[noreturn]] void operator()(const char* key, const std::string& expected, const Json& value) const {
    const std::string shown = value.dump(-1, ' ', true, Json::error_handler_t::replace);
    fail(code, place, ": expected ", expected, " for ", key, ", got ", fjord::quoted(shown, 80));
  }
};

double to_number(const Field& field, const Json& value, const Complaint& complain) {
  if (value.is_number()) {
    const double number = value.get<double>();
    if (std::isfinite(number) && number >= field.low && number <= field.high) return number;
  }
  // diffusers writes the field's own default, -infinity, as the bare word -Infinity.
  const bool infinity_allowed = std::string_view(field.key) == "lambda_min_clipped";
  if (infinity_allowed && value.is_string() && value.get_ref<const std::string&>() == "-Infinity") return -kInfinity;
  if (field.low == -kInfinity) complain(field.key, "a finite number", value);
  const std::string low = field.low == kTiny ? "above 0" : concat("from ", field.low);
  const std::string high =
      field.high == kInfinity ? "" : concat(field.low == kTiny ? " and at most " : " to ", field.high);
  complain(field.key, "a finite number " + low + high, value);
}

std::int64_t to_integer(const Field& field, const Json& value, const Complaint& complain) {
  const bool fits = value.is_number_integer() && value.get<double>() >= field.low && value.get<double>() <= field.high;
  if (!fits) complain(field.key, concat("a whole number from ", field.low, " to ", field.high), value);
  return value.get<std::int64_t>();
}

bool to_bool(const Field& field, const Json& value, const Complaint& complain) {
  if (value.is_null()) return false;  // as Python judges None
  if (!value.is_boolean()) complain(field.key, "true or false", value);
  return value.get<bool>();
}

std::vector<double> to_numbers(const Field& field, const Json& value, const Complaint& complain) {
  if (!value.is_array() || (value.empty() && !field.may_be_empty)) complain(field.key, "a list of numbers", value);
  if (value.size() > kMaxTrainTimesteps) complain(field.key, concat("at most ", kMaxTrainTimesteps, " numbers"), {});
  std::vector<double> numbers;
  for (const auto& item : value) numbers.push_back(to_number(field, item, complain));
  return numbers;
}

struct Setter {
  Scheduler& config;
  const Field& field;
  const Json& value;
  const Complaint& complain;

  void operator()(std::optional<bool> Scheduler::*member) const { config.*member = to_bool(field, value, complain); }
  void operator()(std::optional<double> Scheduler::*member) const {
    config.*member = to_number(field, value, complain);
  }
  void operator()(std::optional<std::int64_t> Scheduler::*member) const {
    config.*member = to_integer(field, value, complain);
  }
  void operator()(std::optional<std::vector<double>> Scheduler::*member) const {
    config.*member = to_numbers(field, value, complain);
  }
  void operator()(std::optional<std::string> Scheduler::*member) const {
    if (!value.is_string()) complain(field.key, "a word", value);
    config.*member = value.get<std::string>();
  }
};

void set_field(Scheduler& config, const Field& field, const Json& value, const Complaint& complain) {
  if (value.is_null() && field.may_be_null) {
    std::visit([&](auto member) { (config.*member).reset(); }, field.member);
    return;
  }
  std::visit(Setter{config, field, value, complain}, field.member);
}

// By the widest of the classes' defaults; make_scheduler knows each class's own.
void check_together(const Scheduler& config, const Complaint& complain) {
  const double start = config.beta_start.value_or(0.0001);
  const double end = config.beta_end.value_or(0.02);
  if (start > end) complain("beta_end", concat("a number not below beta_start (", start, ")"), end);
}

// JSON has no infinity, Python's writer has: the bare words are made strings, so that each field can judge them.
std::string quote_infinities(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      out.append(text.substr(i++, 2));
      continue;
    }
    if (c == '"') in_string = !in_string;
    const std::string_view rest = in_string ? std::string_view() : text.substr(i);
    const size_t length = rest.starts_with("-Infinity") ? 9 : rest.starts_with("Infinity") ? 8 : 0;
    if (length == 0) {
      out += c;
      continue;
    }
    out.append("\"").append(text.substr(i, length)).append("\"");
    i += length - 1;
  }
  return out;
}

// Throws Json::exception for text that is no JSON. The depth is limited because printing a value recurses.
Json parse_shallow(std::string_view text, const Complaint& complain) {
  const auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) fail(complain.code, complain.place, ": nested more than ", kMaxDepth, " levels deep");
    return true;
  };
  return Json::parse(quote_infinities(text), limit_depth);
}

Json parse_object(std::string_view text, const Complaint& complain) {
  check(text.size() <= kMaxTextSize, complain.code, complain.place, ": expected at most ", kMaxTextSize,
        " bytes for a scheduler's configuration, got ", text.size());
  Json json;
  try {
    json = parse_shallow(text, complain);
  } catch (const Json::exception& error) {
    fail(complain.code, complain.place, ": not valid JSON: ", fjord::quoted(error.what(), 200));
  }
  check(json.is_object(), complain.code, complain.place, ": expected a JSON object");
  return json;
}

// The text of an option as JSON, or as a plain word.
Json parse_option(const std::string& text, const Complaint& complain) {
  check(text.size() <= kMaxTextSize, complain.code, complain.place, " is longer than ", kMaxTextSize, " bytes");
  try {
    return parse_shallow(text, complain);
  } catch (const Json::exception&) {
    return text;
  }
}

void erase_used_defaults(Json& json, const std::string& where) {
  const auto names = json.find("_use_default_values");
  if (names == json.end()) return;
  check(names->is_array(), ErrorCode::kBadFile, where, ": expected a list of names for _use_default_values");
  const Json list = *names;
  for (const auto& name : list) {
    if (name.is_string()) json.erase(name.get<std::string>());
  }
}

const Field* find_field(const std::string& key) {
  const auto found = std::find_if(kFields.begin(), kFields.end(), [&](const Field& field) { return key == field.key; });
  return found == kFields.end() ? nullptr : &*found;
}

unsigned owner_of(const std::string& class_name) {
  const auto found =
      std::find_if(kClasses.begin(), kClasses.end(), [&](const Class& each) { return class_name == each.name; });
  return found == kClasses.end() ? 0 : found->owner;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

Scheduler read_scheduler_config(std::string_view text, const std::string& where) {
  const Complaint complain{ErrorCode::kBadFile, where};
  Json json = parse_object(text, complain);
  erase_used_defaults(json, where);
  Scheduler config;
  for (const auto& [key, value] : json.items()) {
    if (key == "_class_name") {
      if (!value.is_string()) complain("_class_name", "a class name", value);
      config.class_name = value.get<std::string>();
    }
    if (key.starts_with('_')) continue;
    const Field* field = find_field(key);
    if (field == nullptr || field->option_only) {
      config.ignored_fields.push_back(key);
      continue;
    }
    set_field(config, *field, value, complain);
  }
  check(!config.class_name.empty(), ErrorCode::kBadFile, where, ": the field _class_name is missing");
  check_together(config, complain);
  return config;
}

std::vector<std::string> scheduler_option_names(const std::string& class_name) {
  std::vector<std::string> names;
  for (const auto& field : kFields) {
    if ((field.owners & owner_of(class_name)) != 0) names.emplace_back(field.key);
  }
  return names;
}

void apply_option(Scheduler& config, const std::string& key, const std::string& value) {
  const auto names = scheduler_option_names(config.class_name);
  check(std::find(names.begin(), names.end(), key) != names.end(), ErrorCode::kInvalidArgument, "scheduler option ",
        fjord::quoted(key), " is unknown to ", fjord::quoted(config.class_name), "; it takes ",
        names.empty() ? "none, as fjord does not implement it" : joined(names));
  const Complaint complain{ErrorCode::kInvalidArgument, "scheduler option " + key};
  Json json = parse_option(value, complain);
  if (key == "sigma_table" && json.is_string()) json = sigma_table(json.get<std::string>());
  Scheduler changed = config;
  set_field(changed, *find_field(key), json, complain);
  config = std::move(changed);
}

}  // namespace fjord::loading
