#include "capi/objects.h"
#include "capi/structs.h"

namespace fjord::capi {
namespace {

using LoadAdapter = std::function<Adapter(const Pipeline&, const std::string& path)>;

fjord_status load_adapter(fjord_pipeline pipeline, const char* path, fjord_adapter* out, const LoadAdapter& load) {
  return guarded([&] {
    need(out, "out");
    const auto object = find_handle<PipelineObject>(pipeline);
    need(path, "path");
    *out = add_handle(std::make_shared<AdapterObject>(AdapterObject{load(object->pipeline, text_of(path, "path"))}));
  });
}

}  // namespace

extern "C" {

fjord_status fjord_adapter_load(fjord_pipeline pipeline, const char* path, fjord_adapter* out) {
  return load_adapter(pipeline, path, out,
                      [](const Pipeline& model, const std::string& file) { return model.load_adapter(file); });
}

fjord_status fjord_adapter_load_embedding(fjord_pipeline pipeline, const char* path, const char* token,
                                          fjord_adapter* out) {
  return load_adapter(pipeline, path, out, [&](const Pipeline& model, const std::string& file) {
    std::vector<std::string> tokens;
    if (token != nullptr) tokens.push_back(text_of(token, "token"));
    return model.load_embedding(file, tokens);
  });
}

fjord_status fjord_adapter_free(fjord_adapter adapter) {
  return guarded([&] { remove_handle<AdapterObject>(adapter); });
}

fjord_status fjord_request_add_adapter(fjord_request request, fjord_adapter adapter, double unet, double text) {
  return guarded([&] {
    const auto object = find_handle<RequestObject>(request);
    object->request.adapters.push_back({find_handle<AdapterObject>(adapter)->adapter, unet, text});
  });
}

fjord_status fjord_request_clear_adapters(fjord_request request) {
  return guarded([&] { find_handle<RequestObject>(request)->request.adapters.clear(); });
}

fjord_status fjord_pipeline_plan(fjord_pipeline pipeline, fjord_request request, fjord_memory_plan* out) {
  return guarded([&] {
    const auto model = find_handle<PipelineObject>(pipeline);
    const auto plan = model->pipeline.plan(find_handle<RequestObject>(request)->request);
    fjord_memory_plan result = FJORD_INIT(fjord_memory_plan);
    result.vae_tiling = plan.vae_tiling ? 1 : 0;
    result.weights = plan.weights;
    result.denoising = plan.denoising;
    result.decoding = plan.decoding;
    result.peak = plan.peak;
    write_struct(out, result, "out");
  });
}

}  // extern "C"

}  // namespace fjord::capi
