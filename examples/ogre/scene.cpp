// A scene in OGRE 1.12 whose textures are made while it is drawn: four boxes begin grey and get the pictures that their
// prompts ask for, again and again with other seeds. Prints the frame times without and with generation as JSON.
//   ogre_scene MODEL_FOLDER [--frames N] [--screenshot FILE.png] [--period MILLISECONDS]
#include <fjord/fjord.h>

#include <Ogre.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string model;
  std::string screenshot;
  int frames = 300;
  double period = 33.3;  // milliseconds a frame, as a display would wait for
};

// A box with a texture of its own, and the job that makes the next picture for it.
class Box {
 public:
  Box(Ogre::SceneManager& scene, const std::string& prompt, float x) : prompt_(prompt) {
    const std::string name = "box" + std::to_string(x);
    texture_ = Ogre::TextureManager::getSingleton().createManual(name, Ogre::RGN_DEFAULT, Ogre::TEX_TYPE_2D, 128, 128,
                                                                 Ogre::MIP_UNLIMITED, Ogre::PF_BYTE_RGBA,
                                                                 Ogre::TU_DYNAMIC_WRITE_ONLY);
    show(fjord::to_rgba({128, 128, std::vector<std::uint8_t>(128 * 128 * 3, 90)}));
    const auto material = Ogre::MaterialManager::getSingleton().create(name, Ogre::RGN_DEFAULT);
    material->getTechnique(0)->getPass(0)->createTextureUnitState()->setTexture(texture_);
    auto* entity = scene.createEntity(Ogre::SceneManager::PT_CUBE);
    entity->setMaterial(material);
    node_ = scene.getRootSceneNode()->createChildSceneNode(Ogre::Vector3(x, 0, 0));
    node_->attachObject(entity);
  }

  void turn(double seconds) {
    node_->setOrientation(Ogre::Quaternion(Ogre::Radian(float(0.5 * std::sin(seconds))), {0, 1, 0}));
  }

  void request(fjord::JobQueue& queue, const fjord::Pipeline& pipeline) {
    fjord::Request request;
    request.prompt = prompt_;
    request.seed = ++seed_;
    job_ = queue.submit(pipeline, std::move(request));
  }

  // Puts the finished picture onto the box; true if there was one. This is all that costs the drawing thread time.
  bool update() {
    if (!job_ || job_->state() != fjord::JobState::kDone) return false;
    show(fjord::to_rgba(job_->result().images.front()));
    job_.reset();
    ++pictures_;
    return true;
  }

  int pictures() const { return pictures_; }

 private:
  void show(const fjord::RgbaImage& image) {
    const auto levels = fjord::mip_chain(image);
    for (unsigned level = 0; level < levels.size() && level <= texture_->getNumMipmaps(); ++level) {
      const auto& picture = levels[level];
      const Ogre::Box area(0, 0, unsigned(picture.width), unsigned(picture.height));
      auto pixels = picture.pixels;
      texture_->getBuffer(0, level)->blitFromMemory({area, Ogre::PF_BYTE_RGBA, pixels.data()});
    }
  }

  std::string prompt_;
  std::uint64_t seed_ = 0;
  int pictures_ = 0;
  std::optional<fjord::Job> job_;
  Ogre::TexturePtr texture_;
  Ogre::SceneNode* node_ = nullptr;
};

class Scene {
 public:
  explicit Scene(double period) : period_(period), quiet_(log_), root_("", "", "") {
    root_.loadPlugin(OGRE_PLUGINS "/RenderSystem_GL");
    root_.loadPlugin(OGRE_PLUGINS "/Codec_STBI");
    root_.setRenderSystem(root_.getAvailableRenderers().front());
    root_.initialise(false);
    window_ = root_.createRenderWindow("fjord", 800, 450, false);
    auto* scene = root_.createSceneManager();
    scene->setAmbientLight(Ogre::ColourValue(0.7F, 0.7F, 0.7F));
    auto* light = scene->createLight();
    scene->getRootSceneNode()->createChildSceneNode(Ogre::Vector3(100, 200, 400))->attachObject(light);
    auto* camera = scene->createCamera("camera");
    camera->setNearClipDistance(5);
    camera->setAspectRatio(800.0F / 450.0F);
    auto* eye = scene->getRootSceneNode()->createChildSceneNode(Ogre::Vector3(0, 130, 430));
    eye->attachObject(camera);
    eye->lookAt(Ogre::Vector3(0, -10, 0), Ogre::Node::TS_WORLD);
    window_->addViewport(camera)->setBackgroundColour(Ogre::ColourValue(0.13F, 0.16F, 0.2F));
    const char* const prompts[] = {"a gold crown on red cloth", "a blue potion on sand", "lava", "a green gem on wood"};
    for (int i = 0; i < 4; ++i) boxes_.emplace_back(*scene, prompts[i], 160.0F * float(i) - 240.0F);
  }

  // Draws so many frames; `between` runs after each. Returns how long drawing took, in milliseconds.
  template <typename Between>
  std::vector<double> draw(int frames, const Between& between) {
    std::vector<double> times;
    for (int i = 0; i < frames; ++i) {
      const auto begin = Clock::now();
      for (auto& box : boxes_) box.turn(0.02 * ++ticks_);
      between();
      root_.renderOneFrame();
      times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
      std::this_thread::sleep_until(begin + std::chrono::duration<double, std::milli>(period_));
    }
    return times;
  }

  std::vector<Box>& boxes() { return boxes_; }
  void write(const std::string& file) { window_->writeContentsToFile(file); }

 private:
  // Logging to nowhere: set up before the root, which would log to the terminal.
  struct Quiet {
    explicit Quiet(Ogre::LogManager& log) { log.createLog("", true, false, true); }
  };

  double period_;
  Ogre::LogManager log_;
  Quiet quiet_;
  Ogre::Root root_;
  Ogre::RenderWindow* window_ = nullptr;
  std::vector<Box> boxes_;
  int ticks_ = 0;
};

std::string summary(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) { return std::to_string(times[size_t(share * double(times.size() - 1))]); };
  return "{\"frames\": " + std::to_string(times.size()) + ", \"median_ms\": " + at(0.5) + ", \"p99_ms\": " + at(0.99) +
         ", \"longest_ms\": " + at(1) + "}";
}

Arguments parse(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
    if (name == "--frames") {
      out.frames = std::max(1, std::atoi(value().c_str()));
    } else if (name == "--screenshot") {
      out.screenshot = value();
    } else if (name == "--period") {
      out.period = std::atof(value().c_str());
    } else {
      out.model = name;
    }
  }
  return out;
}

// As many frames as asked, and until every box has a new picture.
void draw_with_generation(Scene& scene, const fjord::Pipeline& pipeline, size_t frames, std::vector<double>& times) {
  fjord::JobQueue queue({.workers = 1, .threads = 1, .background = true});
  std::vector<int> before;
  for (auto& box : scene.boxes()) {
    before.push_back(box.pictures());
    box.request(queue, pipeline);
  }
  const auto has_news = [&] {
    bool all = true;
    for (size_t i = 0; i < before.size(); ++i) all = all && scene.boxes()[i].pictures() > before[i];
    return all;
  };
  const auto end = times.size() + frames;
  while (times.size() < end || !has_news()) {
    const auto some = scene.draw(10, [&] {
      for (auto& box : scene.boxes()) {
        if (box.update()) box.request(queue, pipeline);
      }
    });
    times.insert(times.end(), some.begin(), some.end());
  }
}

// In turns, so that whatever else the machine does falls on both.
void run(const Arguments& arguments) {
  constexpr int kTurns = 3;
  Scene scene(arguments.period);
  const auto pipeline = fjord::Pipeline::load(arguments.model);
  scene.draw(30, [] {});
  std::vector<double> without, with;
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto some = scene.draw(arguments.frames / kTurns, [] {});
    without.insert(without.end(), some.begin(), some.end());
    draw_with_generation(scene, pipeline, size_t(arguments.frames / kTurns), with);
  }
  if (!arguments.screenshot.empty()) scene.write(arguments.screenshot);
  int pictures = 0;
  for (const auto& box : scene.boxes()) pictures += box.pictures();
  std::cout << "{\"pictures\": " << pictures << ", \"without\": " << summary(without) << ", \"with\": " << summary(with)
            << "}\n";
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse(argc, argv);
  if (arguments.model.empty()) {
    std::cerr << "usage: ogre_scene MODEL_FOLDER [--frames N] [--screenshot FILE.png] [--period MILLISECONDS]\n";
    return 64;
  }
  try {
    run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "ogre_scene: " << error.what() << '\n';
    return 1;
  }
}
