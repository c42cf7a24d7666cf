// The control networks of one pass: when they are heard, and what they say at every evaluation.
#pragma once

#include "pipeline/canvas.h"
#include "pipeline/conditioning.h"
#include "pipeline/model.h"

#include <fjord/request.h>

#include <memory>
#include <vector>

namespace fjord::models {
class ControlNetModel;
class T2IAdapter;
}  // namespace fjord::models

namespace fjord::pipeline {

// What a pass's control networks need to know.
struct ControlScene {
  const Model& model;
  const Request& request;  // with the pictures; has passed checked_request and check_controls
  const Canvas& canvas;
  const Conditioning& conditioning;  // of the pass
  RunSize size;                      // likewise
};

// An evaluation of the U-Net.
struct ControlMoment {
  int evaluation = 0;
  int negatives = 0;              // branches without the prompt, with which the batch begins
  bool repeats_branch = false;    // the branch with the prompt stands in it twice
  models::Shortcuts shortcuts{};  // of the U-Net
};

class ControlRun {
 public:
  // None.
  ControlRun() = default;
  // `timesteps` are all that the pass will ask for, in order.
  ControlRun(const ControlScene& scene, const std::vector<double>& timesteps);

  // What to add to the U-Net's maps for the whole batch. sample: [images, channels, height, width], one branch.
  models::ControlSignals at(const at::Tensor& sample, const ControlMoment& moment);

 private:
  // The evaluations from begin to before end.
  struct Span {
    int begin = 0;
    int end = 0;
    bool holds(int evaluation) const { return evaluation >= begin && evaluation < end; }
  };
  struct Net {
    std::shared_ptr<const models::ControlNetModel> network;
    at::Tensor picture;   // [1 or pictures, channels, height, width]; undefined once it is embedded
    at::Tensor embedded;  // what the network takes of it
    models::RunMemory memory;
    double scale = 1.0;
    Span span;
  };
  struct Adapter {
    std::shared_ptr<const models::T2IAdapter> network;
    at::Tensor picture;            // likewise
    std::vector<at::Tensor> maps;  // what it says, scaled
    double scale = 1.0;
    Span span;
  };

  static Span heard_span(const ControlUse& use, bool runs_once, int steps);
  void add_net(const ControlUse& use, const ControlScene& scene, const std::vector<double>& timesteps);
  void add_adapter(const ControlUse& use, const ControlScene& scene, int steps);
  models::ControlSignals said_by(Net& net, const at::Tensor& sample, const ControlMoment& moment) const;
  models::ControlSignals said_by_nets(const at::Tensor& sample, const ControlMoment& moment);
  std::vector<at::Tensor> said_by_adapters(const ControlMoment& moment, std::int64_t rows);

  std::vector<Net> nets_;
  std::vector<Adapter> adapters_;
  Conditioning conditioning_;
  at::TensorOptions options_;
  ops::Wrap wrap_;
  bool guesses_ = false;
};

// Throws Error(kInvalidArgument) for controls of another pipeline, values out of range, and pictures that do not fit.
// The request has passed checked_request.
void check_controls(const Model& model, const Request& request);

}  // namespace fjord::pipeline
