// model_index.json as diffusers writes it: fields that begin with "_" describe the pipeline, lists describe components.
#include "core/check.h"
#include "loading/config_json.h"
#include "loading/json_text.h"

namespace fjord::loading {

ModelIndex read_model_index(std::string_view text, const std::string& where) {
  const auto json = parse_json_object(text, where);
  const auto class_name = json.find("_class_name");
  check(class_name != json.end() && class_name->is_string(), ErrorCode::kBadFile, where,
        ": expected the text _class_name");
  ModelIndex index;
  index.class_name = class_name->get<std::string>();
  for (auto item = json.begin(); item != json.end(); ++item) {
    const bool is_component = item->is_array() && item->size() == 2 && (*item)[0].is_string() && (*item)[1].is_string();
    if (is_component) index.components.emplace(item.key(), (*item)[1].get<std::string>());
  }
  return index;
}

}  // namespace fjord::loading
