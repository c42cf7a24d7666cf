// How the prompt steers, beyond one scale for the whole run. docs/guidance.md says what each does to the picture.
#pragma once

#include <string>
#include <vector>

namespace fjord {

// FreeU, arXiv:2309.11497: the two deepest levels of the way up weigh what comes from below (half of its channels)
// against the skip connections (their lowest frequencies). All 1: off. The paper proposes s1 = 0.9, s2 = 0.2, b1 = 1.2
// to 1.5, b2 = 1.4 to 1.6. Reference: diffusers' enable_freeu. 0 to 10 each.
struct FreeU {
  double s1 = 1.0;  // factor of the skip connections' low frequencies at the deepest level
  double s2 = 1.0;  // at the next
  double b1 = 1.0;  // factor of the backbone's first half of channels at the deepest level
  double b2 = 1.0;  // at the next
};

// All are off by default.
struct Guidance {
  // The guidance scale over the run, in place of Request::guidance: one scale for every evaluation, or fewer, which
  // then are spread evenly from the first evaluation to the last and joined by straight lines. Finite, 0 to 1000 each;
  // where it is 1 or less the network runs with the prompt alone. Empty: Request::guidance throughout.
  std::vector<double> schedule = {};

  // Dynamic thresholding in latent space: the guided prediction keeps the range that this smaller scale would give it,
  // in every channel of every image, so that a large guidance scale does not oversaturate. 0: off; to 1000.
  double mimic_scale = 0.0;
  // The share of the guided prediction's values that the range must hold; what lies beyond is clamped. Above 0, to 1.
  double mimic_percentile = 1.0;

  // Perturbed-attention guidance, arXiv:2403.17377: a further branch runs with self-attention switched off in some
  // layers, and the prediction is pushed away from it. 0: off; to 1000. One evaluation more of the network a step.
  double perturbed_scale = 0.0;
  // How much the scale above falls for every timestep below 1000; it does not fall below 0. 0 to 1000.
  double perturbed_adaptive_scale = 0.0;
  // The self-attention layers: those whose name in the checkpoint contains one of these texts, e.g. "mid_block" or
  // "down_blocks.1.attentions.0".
  std::vector<std::string> perturbed_layers = {"mid"};

  FreeU free_u = {};

  // Of models that change a picture as the prompt says (InstructPix2Pix, arXiv:2211.09800, eq. 3): how strongly the
  // picture steers. 0 to 1000; below 1 nothing is guided, by the prompt neither. Other models ignore it.
  double image_scale = 1.5;

  // Record which part of the picture listens to which word of the prompt (DAAM, arXiv:2210.04885): Result::heat_maps.
  bool heat_maps = false;
};

}  // namespace fjord
