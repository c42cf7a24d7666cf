// What a host set before fjord ran is as it was afterwards.
#include "pipeline/test_models.h"

#include <fjord/jobs.h>

#include <ATen/core/grad_mode.h>
#include <omp.h>
#include <xmmintrin.h>
#include <clocale>
#include <csignal>
#include <filesystem>
#include <thread>

namespace fjord {
namespace {

struct HostState {
  std::vector<void (*)(int)> signals;
  std::string locale;
  std::filesystem::path folder;
  unsigned mxcsr = 0;
  int openmp_threads = 0;
  int openmp_dynamic = 0;
  bool gradients = false;
  bool operator==(const HostState&) const = default;
};

HostState host_state() {
  HostState state;
  for (int number = 1; number < 32; ++number) {
    struct sigaction action {};
    sigaction(number, nullptr, &action);
    state.signals.push_back(action.sa_handler);
  }
  state.locale = std::setlocale(LC_ALL, nullptr);
  state.folder = std::filesystem::current_path();
  state.mxcsr = _mm_getcsr() & ~0x3FU;  // without the flags of what happened
  state.openmp_threads = omp_get_max_threads();
  state.openmp_dynamic = omp_get_dynamic();
  state.gradients = at::GradMode::is_enabled();
  return state;
}

Request one_step_request() {
  Request request;
  request.prompt = "lava";
  request.width = request.height = 32;
  request.steps = 1;
  return request;
}

TEST(HostStateTest, IsLeftAlone) {
  omp_set_num_threads(3);
  const auto before = host_state();
  const auto pipeline = Pipeline::load(testing::tiny_model(), {.threads = 1});
  EXPECT_EQ(host_state(), before);
  const auto picture = pipeline.generate(one_step_request()).images.at(0).pixels;
  EXPECT_EQ(host_state(), before);
  auto generation = pipeline.start(one_step_request());
  while (generation.advance_for(1)) EXPECT_EQ(host_state(), before);
  JobQueue queue({.max_packed = 2, .background = true});
  EXPECT_EQ(queue.submit(pipeline, one_step_request()).result().images.at(0).pixels, picture);
  EXPECT_EQ(host_state(), before);
}

// Flush-to-zero and denormals-are-zero, as games set them: fjord neither undoes nor spreads them.
TEST(HostStateTest, FloatingPointModeOfTheCallerStays) {
  const auto pipeline = Pipeline::load(testing::tiny_model());
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
  pipeline.generate(one_step_request());
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  EXPECT_EQ(after & 0x8040U, 0x8040U);
}

TEST(HostStateTest, ASmallStackIsEnough) {
  const auto pipeline = Pipeline::load(testing::tiny_model(), {.threads = 1});
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_t thread{};
  const auto run = [](void* p) -> void* {
    const auto result = static_cast<const Pipeline*>(p)->generate(one_step_request());
    return result.images.empty() ? nullptr : p;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, const_cast<Pipeline*>(&pipeline)), 0);
  void* done = nullptr;
  pthread_join(thread, &done);
  pthread_attr_destroy(&attributes);
  EXPECT_NE(done, nullptr);
}

}  // namespace
}  // namespace fjord
