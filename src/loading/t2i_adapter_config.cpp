// Reference: diffusers T2IAdapter.__init__ for defaults and for what fits together.
#include "core/check.h"
#include "loading/config_json.h"
#include "loading/config_reader.h"

namespace fjord::loading {

config::T2IAdapter read_t2i_adapter_config(std::string_view text, const std::string& where) {
  ConfigReader reader(text, where);
  config::T2IAdapter adapter;
  reader.integer("in_channels", adapter.in_channels, kSize);
  reader.integers("channels", adapter.channels, kSize);
  reader.integer("num_res_blocks", adapter.num_res_blocks, kCount);
  reader.integer("downscale_factor", adapter.downscale_factor, {1, 64});
  reader.text("adapter_type", adapter.adapter_type);
  reader.refuse_others();
  const auto& type = adapter.adapter_type;
  check(type == "full_adapter" || type == "full_adapter_xl" || type == "light_adapter", ErrorCode::kUnsupported, where,
        ": expected adapter_type full_adapter, full_adapter_xl or light_adapter, got ", fjord::quoted(type));
  const auto& channels = adapter.channels;
  check(!channels.empty(), ErrorCode::kBadFile, where, ": expected channels, got an empty list");
  for (size_t i = 3; type == "full_adapter_xl" && i < channels.size(); ++i) {
    check(channels[i] == channels[2], ErrorCode::kBadFile, where,
          ": expected equal channels from the third block on for full_adapter_xl, got ", channels[2], " and ",
          channels[i]);
  }
  for (const auto number : channels) {
    check(type != "light_adapter" || number % 4 == 0, ErrorCode::kBadFile, where,
          ": expected channels that 4 divides for light_adapter, got ", number);
  }
  return adapter;
}

}  // namespace fjord::loading
