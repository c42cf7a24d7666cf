// Choices that change a picture and do not make it better: what it takes to get the picture of another program.
#pragma once

namespace fjord {

// Where random numbers come from.
enum class NoiseSource {
  kTorchCpu,   // torch.Generator("cpu")
  kTorchCuda,  // Philox 4x32-10 as torch.Generator("cuda") draws it, for as many numbers as the GPU has threads: the
               // web UI's "NV"; also what it draws on a GPU
};

// Noise levels and timesteps of a run.
enum class SigmaGrid {
  kScheduler,  // as the scheduler's class lays them out
  kA1111,      // k-diffusion's: levels at evenly spaced timesteps, interpolated in their logarithm; the network is told
               // the fractional timestep of a level; the first noise is scaled by the first level
  kComfyUi,    // the same levels; the network is told the nearest whole timestep; the first noise is scaled by
               // sqrt(1 + level^2)
};

// From real numbers to bytes.
enum class PixelRounding { kNearest, kTruncate };

struct Reproduction {
  NoiseSource noise = NoiseSource::kTorchCpu;
  // Other than kScheduler: EulerDiscreteScheduler and DPMSolverMultistepScheduler (second order, dpmsolver++) alone,
  // with or without use_karras_sigmas.
  SigmaGrid sigmas = SigmaGrid::kScheduler;
  PixelRounding rounding = PixelRounding::kNearest;
};

}  // namespace fjord
