// A picture from a picture: reads a PNG file, changes it as the prompt says, and tells how much of the run that takes.
//   img2img MODEL_FOLDER IN.png PROMPT STRENGTH OUT.png
#include <fjord/fjord.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: img2img MODEL_FOLDER IN.png PROMPT STRENGTH OUT.png\n";
    return 64;
  }
  try {
    const fjord::Pipeline pipeline = fjord::Pipeline::load(argv[1]);
    fjord::Request request;
    request.prompt = argv[3];
    request.seed = 1;
    request.image_input.images = {fjord::read_png(argv[2])};
    request.image_input.strength = std::stod(argv[4]);  // 0.3: touched up, 0.9: hardly recognised
    const fjord::Result result = pipeline.generate(request);
    fjord::write_png(argv[5], result.images.front());
    std::cerr << "The picture is " << argv[5] << " (" << result.request.width << "x" << result.request.height
              << ", strength " << *result.request.image_input.strength << ").\n";
  } catch (const fjord::Error& error) {
    std::cerr << "img2img: " << error.what() << " (" << fjord::to_string(error.code()) << ")\n";
    return 1;
  } catch (const std::exception&) {
    std::cerr << "img2img: expected a number for STRENGTH, got " << argv[4] << '\n';
    return 64;
  }
}
