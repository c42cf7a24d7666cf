/* What a request will take of memory, without running it. */
#include "check.h"

void test_plan(void) {
  fjord_request request = small_request();
  fjord_memory_plan plan = FJORD_INIT(fjord_memory_plan);
  fjord_memory_plan larger = FJORD_INIT(fjord_memory_plan);
  CHECK_OK(fjord_pipeline_plan(tiny_model(), request, &plan));
  CHECK(plan.weights > 20u << 20 && plan.denoising > 0 && plan.decoding > 0 && plan.vae_tiling == 0);
  CHECK(plan.peak == plan.weights + (plan.denoising > plan.decoding ? plan.denoising : plan.decoding));
  CHECK_OK(fjord_request_set(request, "width", "256"));
  CHECK_OK(fjord_request_set(request, "height", "256"));
  CHECK_OK(fjord_pipeline_plan(tiny_model(), request, &larger));
  CHECK(larger.weights == plan.weights && larger.decoding > plan.decoding);
  CHECK_OK(fjord_request_set(request, "memory_budget", "1000"));
  CHECK_FAILS(fjord_pipeline_plan(tiny_model(), request, &plan), FJORD_OUT_OF_MEMORY, "memory_budget allows");
  CHECK_FAILS(fjord_pipeline_plan(tiny_model(), request, NULL), FJORD_OUT_OF_MEMORY, "memory_budget allows");
  CHECK_OK(fjord_request_set(request, "memory_budget", "0"));
  CHECK_FAILS(fjord_pipeline_plan(tiny_model(), request, NULL), FJORD_INVALID_ARGUMENT, "out must not be NULL");
  CHECK_OK(fjord_request_set(request, "width", "7"));
  CHECK_FAILS(fjord_pipeline_plan(tiny_model(), request, &plan), FJORD_INVALID_ARGUMENT, "width");
  CHECK_OK(fjord_request_free(request));
}
