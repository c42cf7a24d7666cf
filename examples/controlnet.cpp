// A picture laid out by another one: a ControlNet (or T2I-Adapter) sees edges, depth or a pose and says where things
// go.
//   controlnet MODEL_FOLDER CONTROLNET CONTROL.png PROMPT OUT.png
#include <fjord/fjord.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: controlnet MODEL_FOLDER CONTROLNET CONTROL.png PROMPT OUT.png\n";
    return 64;
  }
  try {
    const fjord::Pipeline pipeline = fjord::Pipeline::load(argv[1]);
    fjord::ControlUse use;
    use.control = pipeline.load_control(argv[2]);  // a folder or a safetensors file
    use.image = fjord::read_png(argv[3]);
    use.scale = 0.9;
    use.end = 0.8;  // the last fifth of the steps is the prompt's alone
    for (const auto& note : use.control.info().notes) std::cerr << "Note: " << note << ".\n";

    fjord::Request request;
    request.prompt = argv[4];
    request.seed = 1;
    request.width = use.image.width / pipeline.info().size_multiple * pipeline.info().size_multiple;
    request.height = use.image.height / pipeline.info().size_multiple * pipeline.info().size_multiple;
    request.controls = {use};
    const fjord::Result result = pipeline.generate(request);
    fjord::write_png(argv[5], result.images.front());
    std::cerr << "The picture is " << argv[5] << " (" << use.control.info().parameters << " numbers steered it).\n";
  } catch (const fjord::Error& error) {
    std::cerr << "controlnet: " << error.what() << " (" << fjord::to_string(error.code()) << ")\n";
    return 1;
  }
}
