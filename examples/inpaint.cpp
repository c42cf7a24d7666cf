// Painting into a part of a picture: where the mask is white the prompt decides, elsewhere every pixel stays. The
// picture keeps its size; the network sees the surroundings of the mask, pixel for pixel.
//   inpaint MODEL_FOLDER IN.png MASK.png PROMPT OUT.png
#include <fjord/fjord.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: inpaint MODEL_FOLDER IN.png MASK.png PROMPT OUT.png\n";
    return 64;
  }
  try {
    const fjord::Pipeline pipeline = fjord::Pipeline::load(argv[1]);
    fjord::Request request;
    request.prompt = argv[4];
    request.seed = 1;
    request.image_input.images = {fjord::read_png(argv[2])};
    fjord::Inpaint& inpaint = request.image_input.inpaint;
    inpaint.mask = fjord::read_png_mask(argv[3]);
    inpaint.region = fjord::PaintRegion::kNative;
    inpaint.grow = 4;
    inpaint.blur = 2.0;
    inpaint.match_colors = true;
    fjord::write_png(argv[5], pipeline.generate(request).images.front());
    std::cerr << "The picture is " << argv[5] << ".\n";
  } catch (const fjord::Error& error) {
    std::cerr << "inpaint: " << error.what() << " (" << fjord::to_string(error.code()) << ")\n";
    return 1;
  }
}
