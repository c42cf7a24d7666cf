// The C++ interface in one page: load a model, describe a picture, watch the progress, write a PNG file.
//   txt2img MODEL_FOLDER PROMPT OUT.png
#include <fjord/fjord.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: txt2img MODEL_FOLDER PROMPT OUT.png\n";
    return 64;
  }
  try {
    const fjord::Pipeline pipeline = fjord::Pipeline::load(argv[1]);
    fjord::Request request;
    request.prompt = argv[2];
    request.seed = 1;
    const fjord::Result result =
        pipeline.generate(request, [](const fjord::Progress& progress, const fjord::Generation&) {
          std::cerr << "\rstep " << progress.step << " of " << progress.steps;
          return true;  // false would cancel
        });
    fjord::write_png(argv[3], result.images.front());
    std::cerr << "\nThe picture is " << argv[3] << ".\n";
  } catch (const fjord::Error& error) {
    std::cerr << "txt2img: " << error.what() << " (" << fjord::to_string(error.code()) << ")\n";
    return 1;
  }
}
