// Progress of a running request, and the way to stop it.
#pragma once

#include <fjord/export.h>

#include <functional>

namespace fjord {

class Generation;

// What a request is busy with.
enum class Phase { kEncodePrompt, kDenoise, kDecode, kDone };

// A snapshot of progress, handed to the observer after every phase and every denoising step.
struct Progress {
  Phase phase = Phase::kEncodePrompt;
  int step = 0;          // denoising steps done, 0..steps
  int steps = 0;         // denoising steps in all
  double seconds = 0.0;  // since the request started
};

// Called on the thread that runs the request. Return false to cancel: the request then ends with
// ErrorCode::kCancelled. generation.preview() and generation.latents() may be called from inside.
using Observer = std::function<bool(const Progress& progress, const Generation& generation)>;

}  // namespace fjord
