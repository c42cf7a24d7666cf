// scheduler_config.json, and options given as text, into config::Scheduler.
// Reference: diffusers' ConfigMixin.extract_init_dict and SchedulerMixin.from_config.
#pragma once

#include "config/scheduler.h"

#include <string>
#include <string_view>
#include <vector>

namespace fjord::loading {

// Reads the text of a scheduler_config.json. Fields listed under "_use_default_values" and fields that begin with "_"
// are left out, fields of other scheduler classes are kept in `ignored_fields`. `where` names the file in messages.
// Throws kBadFile for text that is no JSON object, for a value of the wrong type or out of range, naming the field.
// Which words a class understands (beta_schedule, ...) is judged by schedulers::make_scheduler.
config::Scheduler read_scheduler_config(std::string_view text, const std::string& where);

// Sets one field of `config` from text: `value` is read as JSON, or else as a plain string. The fields of
// config.class_name are allowed, and "eta" for DDIM.
// Throws kInvalidArgument for an unknown key, listing the allowed ones, or a value of the wrong type or out of range.
void apply_option(config::Scheduler& config, const std::string& key, const std::string& value);

// The fields that class `class_name` reads; empty for a class that fjord does not implement.
std::vector<std::string> scheduler_option_names(const std::string& class_name);

}  // namespace fjord::loading
