// A picture as a prompt (IP-Adapter): the result resembles it as much as SCALE says, 0 to 1, and still follows the
// text.
//   image_prompt MODEL_FOLDER IP_ADAPTER.safetensors IMAGE_ENCODER_FOLDER LIKE.png SCALE PROMPT OUT.png
#include <fjord/fjord.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 8) {
    std::cerr << "usage: image_prompt MODEL_FOLDER IP_ADAPTER.safetensors IMAGE_ENCODER_FOLDER LIKE.png SCALE PROMPT "
                 "OUT.png\n";
    return 64;
  }
  try {
    const fjord::Pipeline pipeline = fjord::Pipeline::load(argv[1]);
    fjord::ImagePrompt like;
    like.adapter = pipeline.load_image_adapter(argv[2], argv[3]);
    like.images = {fjord::read_png(argv[4])};
    like.scale = std::stod(argv[5]);

    fjord::Request request;
    request.prompt = argv[6];
    request.seed = 1;
    request.image_prompts = {like};
    fjord::write_png(argv[7], pipeline.generate(request).images.front());
    const fjord::ImageAdapterInfo& info = like.adapter.info();
    std::cerr << "The picture is " << argv[7] << " (" << info.layers << " layers heard " << info.tokens
              << " tokens of what the encoder saw).\n";
  } catch (const fjord::Error& error) {
    std::cerr << "image_prompt: " << error.what() << " (" << fjord::to_string(error.code()) << ")\n";
    return 1;
  } catch (const std::exception&) {
    std::cerr << "image_prompt: expected a number for SCALE, got " << argv[5] << '\n';
    return 64;
  }
}
