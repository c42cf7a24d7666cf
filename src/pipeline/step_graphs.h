// Evaluations of the U-Net on a GPU as recorded graphs: hundreds of kernels are started at once, where starting each
// for itself takes longer than the small ones run. A graph computes on tensors of its own, into which each request puts
// its text keys once, and its sample, timestep and control signals at every evaluation. So it serves every request of
// its shapes: the first evaluation of new shapes runs plainly, the second is recorded and compared, the others are
// replayed.
#pragma once

#include "core/cuda_ops.h"
#include "models/unet/unet_2d_condition.h"

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fjord::pipeline {

// One evaluation with its tensors. Used by one request at a time.
class StepGraph {
 public:
  explicit StepGraph(const models::UNet2DConditionModel& unet) : unet_(unet) {}

  // Takes over what a request keeps for all its evaluations. Its memory has been filled.
  void begin(const models::UNetInput& input);
  // Records, and compares with what the plain way gave. What goes wrong becomes the fault.
  void record(const CudaOps& ops, const models::UNetInput& input, const at::Tensor& plain);
  at::Tensor replay(const models::UNetInput& input);

  // Whether evaluations of these shapes were seen before; from now on they were.
  bool seen() { return std::exchange(seen_, true); }
  bool recorded() const { return graph_ != nullptr; }
  // Why there will be no graph; empty: none is known.
  const std::string& fault() const { return fault_; }

 private:
  void make_tensors(const models::UNetInput& input);
  void put(const models::UNetInput& input);

  const models::UNet2DConditionModel& unet_;
  models::UNetInput input_;  // of the graph's own tensors
  models::RunMemory memory_;
  std::vector<const nn::Module*> blocks_;  // whose time projections lie side by side in:
  at::Tensor time_;                        // [rows, features of all blocks], of the evaluation
  at::Tensor times_;                       // [timesteps, rows, features], of the request
  std::vector<double> timesteps_;
  at::Tensor output_;
  std::unique_ptr<CudaGraph> graph_;
  bool seen_ = false;
  std::string fault_;
};

// The graphs of one U-Net that no request uses at the moment.
class StepGraphs {
 public:
  // `lasting`: for many requests, not for one that has the U-Net to itself.
  explicit StepGraphs(bool lasting) : lasting_(lasting) {}

  bool lasting() const { return lasting_; }
  // One for such evaluations, or a new one.
  std::unique_ptr<StepGraph> take(const std::string& shapes, const models::UNet2DConditionModel& unet);
  void give_back(const std::string& shapes, std::unique_ptr<StepGraph> graph);
  // Gives up all that wait; whether there were any.
  bool forget();

 private:
  bool lasting_;
  std::mutex mutex_;
  std::list<std::pair<std::string, std::unique_ptr<StepGraph>>> waiting_;  // latest first
};

// The graphs of one request.
class GraphRun {
 public:
  // Null: everything runs plainly. `evaluations`: of the U-Net, foreseen.
  GraphRun(std::shared_ptr<StepGraphs> graphs, size_t evaluations)
      : graphs_(std::move(graphs)), evaluations_(evaluations) {}
  ~GraphRun();
  GraphRun(GraphRun&&) noexcept = default;
  GraphRun& operator=(GraphRun&&) = delete;

  // As unet.forward gives it.
  at::Tensor evaluate(const models::UNet2DConditionModel& unet, const models::UNetInput& input);
  // Why evaluations were not recorded, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }
  void note(const std::string& why);

 private:
  struct Lease {
    std::unique_ptr<StepGraph> graph;
    bool shared = false;
    bool begun = false;
  };
  Lease& lease(const models::UNet2DConditionModel& unet, const models::UNetInput& input, bool shared);
  at::Tensor plain(const models::UNet2DConditionModel& unet, const models::UNetInput& input) const;

  std::shared_ptr<StepGraphs> graphs_;
  size_t evaluations_;
  std::map<std::string, Lease> leases_;  // by shapes
  std::vector<std::string> notes_;
};

}  // namespace fjord::pipeline
