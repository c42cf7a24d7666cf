// What a user's first program looks like: consumer MODEL_FOLDER.
#include <fjord/fjord.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  try {
    fjord::Request request;
    request.prompt = "a gold crown on red cloth";
    request.width = request.height = 64;
    request.steps = 1;
    const auto result = fjord::Pipeline::load(argv[1]).generate(request);
    std::cout << fjord::version() << ' ' << result.images.at(0).pixels.size() << '\n';
  } catch (const fjord::Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
