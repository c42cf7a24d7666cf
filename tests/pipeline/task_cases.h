// Requests with pictures, as tests/reference/tasks.py writes them.
#pragma once

#include "pipeline/request_cases.h"

namespace fjord::testing {

// Smooth blotches; `seed` as in the script.
Image blotches(int width, int height, std::uint32_t seed);
// 255 within left, top, right, bottom, else 0.
Mask blob(int width, int height, const std::vector<int>& box);

Request make_task_request(const nlohmann::json& json);

}  // namespace fjord::testing
