// Jobs as futures of the standard library. Apart from fjord/fjord.h, since <future> alone doubles what that costs.
#pragma once

#include <fjord/jobs.h>

#include <future>

namespace fjord {

// Submits a request; the future gives its result or throws the Error that ended it.
FJORD_API std::future<Result> submit_async(JobQueue& queue, const Pipeline& pipeline, Request request,
                                           JobOptions options = {});

}  // namespace fjord
