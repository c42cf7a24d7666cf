// A window with a prompt box: the picture appears as a coarse preview while it is made. SDL2 and Dear ImGui.
//   viewer MODEL_FOLDER [--prompt TEXT] [--screenshot FILE.png]     with --screenshot: makes one picture, writes the
//                                                                   window as it looks then and half way, and ends
#include <fjord/fjord.h>

#include <SDL.h>
#include <SDL_opengl.h>
#include <imgui/backends/imgui_impl_opengl2.h>
#include <imgui/backends/imgui_impl_sdl.h>
#include <imgui/imgui.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <optional>

namespace {

constexpr int kWidth = 560, kHeight = 640;

// SDL, ImGui and the texture that shows the picture.
class Window {
 public:
  Window() {
    if (SDL_Init(SDL_INIT_VIDEO) != 0) throw std::runtime_error(SDL_GetError());
    window_ =
        SDL_CreateWindow("fjord", SDL_WINDOWPOS_CENTERED, SDL_WINDOWPOS_CENTERED, kWidth, kHeight, SDL_WINDOW_OPENGL);
    context_ = window_ != nullptr ? SDL_GL_CreateContext(window_) : nullptr;
    if (context_ == nullptr) throw std::runtime_error(SDL_GetError());
    glGenTextures(1, &texture_);
    ImGui::CreateContext();
    ImGui::GetIO().IniFilename = nullptr;
    ImGui_ImplSDL2_InitForOpenGL(window_, context_);
    ImGui_ImplOpenGL2_Init();
  }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;
  ~Window() {
    ImGui_ImplOpenGL2_Shutdown();
    ImGui_ImplSDL2_Shutdown();
    ImGui::DestroyContext();
    SDL_GL_DeleteContext(context_);
    SDL_DestroyWindow(window_);
    SDL_Quit();
  }

  // False when the window was closed.
  bool begin_frame() {
    bool open = true;
    for (SDL_Event event; SDL_PollEvent(&event) != 0;) {
      ImGui_ImplSDL2_ProcessEvent(&event);
      open = open && event.type != SDL_QUIT;
    }
    ImGui_ImplOpenGL2_NewFrame();
    ImGui_ImplSDL2_NewFrame();
    ImGui::NewFrame();
    return open;
  }
  void end_frame() {
    ImGui::Render();
    glViewport(0, 0, kWidth, kHeight);
    glClear(GL_COLOR_BUFFER_BIT);
    ImGui_ImplOpenGL2_RenderDrawData(ImGui::GetDrawData());
  }
  void present() { SDL_GL_SwapWindow(window_); }

  void show(const fjord::RgbaImage& image) {
    has_picture_ = true;
    glBindTexture(GL_TEXTURE_2D, texture_);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_LINEAR);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, image.width, image.height, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                 image.pixels.data());
  }
  void draw_picture() {
    if (has_picture_) ImGui::Image(reinterpret_cast<ImTextureID>(std::uintptr_t{texture_}), ImVec2(512, 512));
  }
  void write(const std::string& path) {
    const size_t row = size_t{kWidth} * 3;
    std::vector<std::uint8_t> upside_down(row * kHeight);
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, kWidth, kHeight, GL_RGB, GL_UNSIGNED_BYTE, upside_down.data());
    fjord::Image shot{kWidth, kHeight, {}};
    for (int y = kHeight - 1; y >= 0; --y) {
      const auto begin = upside_down.begin() + y * static_cast<std::ptrdiff_t>(row);
      shot.pixels.insert(shot.pixels.end(), begin, begin + static_cast<std::ptrdiff_t>(row));
    }
    fjord::write_png(path, shot);
  }

 private:
  SDL_Window* window_ = nullptr;
  SDL_GLContext context_ = nullptr;
  GLuint texture_ = 0;
  bool has_picture_ = false;
};

class Viewer {
 public:
  Viewer(const std::string& model, const std::string& prompt) : pipeline_(fjord::Pipeline::load(model)) {
    std::snprintf(prompt_, sizeof prompt_, "%s", prompt.c_str());
    settings_[0] = pipeline_.info().steps;
    settings_[1] = 1;
  }

  void start() {
    fjord::Request request;
    request.prompt = prompt_;
    request.steps = std::clamp(settings_[0], 1, pipeline_.info().max_steps);
    request.seed = static_cast<std::uint64_t>(std::max(0, settings_[1]));
    if (job_) job_->cancel();
    job_ = queue_.submit(pipeline_, std::move(request), {.preview_every = 1});
    shown_step_ = 0;
    message_.clear();
  }

  void frame() {
    take_news();
    ImGui::SetNextWindowPos(ImVec2(0, 0));
    ImGui::SetNextWindowSize(ImVec2(kWidth, kHeight));
    ImGui::Begin("fjord", nullptr, ImGuiWindowFlags_NoDecoration);
    const bool entered = ImGui::InputText("prompt", prompt_, sizeof prompt_, ImGuiInputTextFlags_EnterReturnsTrue);
    ImGui::InputInt2("steps, seed", settings_);
    if (ImGui::Button("Make it") || entered) start();
    ImGui::SameLine();
    if (ImGui::Button("Stop") && job_) job_->cancel();
    const auto progress = job_ ? job_->progress() : fjord::Progress{};
    ImGui::SameLine();
    ImGui::ProgressBar(progress.steps > 0 ? float(progress.step) / float(progress.steps) : 0.0F);
    window_.draw_picture();
    ImGui::TextUnformatted(message_.c_str());
    ImGui::End();
  }

  Window& window() { return window_; }
  int step() const { return shown_step_; }
  bool is_done() const { return job_ && !running_; }

 private:
  // The newest preview, or what the job ended with.
  void take_news() {
    running_ = job_ && (job_->state() == fjord::JobState::kQueued || job_->state() == fjord::JobState::kRunning);
    if (!job_ || shown_step_ < 0) return;
    if (const auto preview = job_->preview(); running_ && preview && job_->progress().step > shown_step_) {
      shown_step_ = job_->progress().step;
      window_.show(*preview);
    }
    if (running_) return;
    shown_step_ = -1;
    try {
      window_.show(fjord::to_rgba(job_->result().images.front()));
    } catch (const fjord::Error& error) {
      message_ = error.what();
    }
  }

  Window window_;
  fjord::Pipeline pipeline_;
  fjord::JobQueue queue_{{.background = true}};
  std::optional<fjord::Job> job_;
  char prompt_[512] = "";
  int settings_[2] = {0, 0};
  int shown_step_ = 0;
  bool running_ = false;
  std::string message_;
};

// "shot.png" -> "shot-half.png"
std::string half_name(const std::string& path) {
  const auto dot = std::min(path.rfind('.'), path.size());
  return path.substr(0, dot) + "-half" + path.substr(dot);
}

void run(const std::string& model, const std::string& prompt, const std::string& screenshot) {
  Viewer viewer(model, prompt);
  auto& window = viewer.window();
  bool half_written = false;
  if (!screenshot.empty()) viewer.start();
  while (window.begin_frame()) {
    viewer.frame();
    window.end_frame();
    if (!screenshot.empty() && !half_written && viewer.step() >= 12) {
      window.write(half_name(screenshot));
      half_written = true;
    }
    if (!screenshot.empty() && viewer.is_done()) return window.write(screenshot);
    window.present();
    SDL_Delay(16);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string model, prompt = "a gold crown on red cloth", screenshot;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--prompt" && i + 1 < argc) {
      prompt = argv[++i];
    } else if (name == "--screenshot" && i + 1 < argc) {
      screenshot = argv[++i];
    } else {
      model = name;
    }
  }
  if (model.empty()) {
    std::cerr << "usage: viewer MODEL_FOLDER [--prompt TEXT] [--screenshot FILE.png]\n";
    return 64;
  }
  try {
    run(model, prompt, screenshot);
  } catch (const std::exception& error) {
    std::cerr << "viewer: " << error.what() << '\n';
    return 1;
  }
}
