// One model, two styles at once: requests with different adapters share the weights and run side by side.
//   lora MODEL_FOLDER LORA.safetensors PROMPT OUT_PREFIX
#include <fjord/fjord.h>

#include <future>
#include <iostream>
#include <string>

namespace {

fjord::Image make_picture(const fjord::Pipeline& pipeline, fjord::Request request, const fjord::Adapter& style,
                          double strength) {
  if (strength != 0) request.adapters.push_back({.adapter = style, .unet = strength, .text = strength});
  return pipeline.generate(request).images.front();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: lora MODEL_FOLDER LORA.safetensors PROMPT OUT_PREFIX\n";
    return 64;
  }
  try {
    const auto pipeline = fjord::Pipeline::load(argv[1]);
    const auto style = pipeline.load_adapter(argv[2]);
    std::cout << argv[2] << " changes " << style.info().unet_layers << " layers of the U-Net and "
              << style.info().text_layers << " of the text encoders.\n";
    fjord::Request request;
    request.prompt = argv[3];
    request.seed = 1;
    auto half = std::async([&] { return make_picture(pipeline, request, style, 0.5); });
    auto whole = std::async([&] { return make_picture(pipeline, request, style, 1.0); });
    const std::string prefix = argv[4];
    fjord::write_png(prefix + "-half.png", half.get());
    fjord::write_png(prefix + "-whole.png", whole.get());
    fjord::write_png(prefix + "-without.png", make_picture(pipeline, request, style, 0.0));
    std::cout << "The pictures are " << prefix << "-half.png, -whole.png and -without.png.\n";
  } catch (const fjord::Error& error) {
    std::cerr << "lora: " << error.what() << " (" << fjord::to_string(error.code()) << ")\n";
    return 1;
  }
}
