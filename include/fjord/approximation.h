// Less work for a picture that differs a little. docs/approximations.md says what each costs and gains.
#pragma once

namespace fjord {

// All are off by default. Parts of a run are fractions of its n evaluations of the U-Net, counted from 0: a fraction f
// stands for evaluation round(f n).
struct Approximation {
  // Guidance interval, arXiv:2404.07724: before guidance_begin and from guidance_end on, the network runs with the
  // prompt alone and nothing is guided. 0 <= guidance_begin <= guidance_end <= 1.
  double guidance_begin = 0.0;
  double guidance_end = 1.0;
  // Within the interval only every so many evaluations run without the prompt as well; those between take over the
  // latest difference of the two branches (after arXiv:2312.12487). 1 (all) to 1000.
  int guidance_every = 1;

  // DeepCache, arXiv:2312.00858: of every cache_interval evaluations the first runs whole, the others only the outer
  // layers, on the deep features of the first. 1 (all run whole) to 1000.
  int cache_interval = 1;
  // How deep the others go: the innermost skip connection that they compute anew, counted from the outside (0: that of
  // conv_in). 0 to PipelineInfo::skip_connections - 1; DeepCache's cache_branch_id.
  int cache_branch = 0;

  // T-GATE, arXiv:2404.02747: from here on every layer repeats what it took from the text at the evaluation before, the
  // average of the two branches; one branch runs, without guidance. Above 0, to 1 (never).
  double text_gate = 1.0;

  // Token merging, arXiv:2303.17604: share of the pixels that self-attention at the finest resolution merges with
  // others. 0 (none) to 0.75.
  double merge_ratio = 0.0;
};

}  // namespace fjord
