// What every scheduler does unless it says otherwise.
#include <fjord/torch/scheduler.h>

namespace fjord {

at::Tensor SchedulerRun::scale_model_input(const at::Tensor& sample, std::int64_t) const { return sample; }

}  // namespace fjord
