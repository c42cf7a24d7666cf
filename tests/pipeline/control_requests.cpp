#include "pipeline/control_requests.h"

#include "pipeline/task_cases.h"
#include "pipeline/test_models.h"

namespace fjord::testing {

const Pipeline& control_model(const std::string& name) {
  if (name == "sdxl" || name == "sd2") return family_pipeline(name);
  static const auto tiny = Pipeline::load(tiny_model());
  static const auto random = Pipeline::load(random_model());
  static const auto inpaint = Pipeline::load(inpainting_model());
  return name == "tiny" ? tiny : (name == "random" ? random : inpaint);
}

Control load_control(const Pipeline& pipeline, const std::string& name) {
  return pipeline.load_control(control_folder(name));
}

Request request_with(const Control& control) {
  Request request;
  request.prompt = "a gold crown on red cloth";
  request.width = 64;
  request.height = 32;
  request.steps = 3;
  request.seed = 3;
  request.controls = {{control, blotches(64, 32, 9)}};
  return request;
}

Request request_with(const std::string& network) { return request_with(load_control(control_model("tiny"), network)); }

std::vector<std::uint8_t> pixels(const Request& request, const std::string& name) {
  return control_model(name).generate(request).images.at(0).pixels;
}

}  // namespace fjord::testing
