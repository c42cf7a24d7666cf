// Pipeline: the public face of a loaded model.
#include <fjord/pipeline.h>

#include "core/check.h"
#include "loading/open_model.h"
#include "pipeline/adapter_set.h"
#include "pipeline/control_run.h"
#include "pipeline/control_set.h"
#include "pipeline/error_translation.h"
#include "pipeline/generation.h"
#include "pipeline/image_adapter.h"
#include "pipeline/memory_plan.h"
#include "pipeline/model.h"
#include "pipeline/prompting_check.h"
#include "pipeline/request_check.h"
#include "pipeline/run_scope.h"

namespace fjord {

namespace {

pipeline::Model load_opened(const loading::OpenedModel& opened, const LoadOptions& options) {
  loading::check_tokenizer(opened);
  auto model = pipeline::load_model(opened.source, options);
  model.info.notes = opened.notes;
  return model;
}

}  // namespace

class Pipeline::Impl {
 public:
  Impl(const loading::OpenedModel& opened, const LoadOptions& options)
      : model(std::make_shared<const pipeline::Model>(load_opened(opened, options))), threads(options.threads) {}

  std::shared_ptr<const pipeline::Model> model;
  int threads;
};

Pipeline::Pipeline(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

template <typename Open>
Pipeline Pipeline::load_from(const Open& open, const LoadOptions& options) {
  return pipeline::translated([&] {
    check(options.threads >= 0 && options.threads <= 1024, ErrorCode::kInvalidArgument,
          "threads must be from 0 to 1024, got ", options.threads);
    const pipeline::RunScope scope(options.threads, nullptr);
    return Pipeline(std::make_shared<const Impl>(open(), options));
  });
}

Pipeline Pipeline::load(const std::string& path, const LoadOptions& options) {
  return load_from([&] { return loading::open_model(path, options.files); }, options);
}

Pipeline Pipeline::load(std::shared_ptr<const Storage> storage, const LoadOptions& options) {
  const auto open = [&] {
    return loading::open_model(std::shared_ptr<const loading::Source>(loading::open_storage(std::move(storage))),
                               options.files);
  };
  return load_from(open, options);
}

Generation Pipeline::start(const Request& request) const {
  return pipeline::translated(
      [&] { return Generation(std::make_unique<Generation::Impl>(impl_->model, request, impl_->threads)); });
}

Result Pipeline::generate(const Request& request, const Observer& observer) const {
  auto generation = start(request);
  const auto report = [&] {
    if (observer && !observer(generation.progress(), generation)) generation.cancel();
  };
  report();
  while (generation.progress().step < generation.progress().steps) {
    generation.advance();
    report();
  }
  auto result = generation.finish();
  if (observer) observer(generation.progress(), generation);
  return result;
}

PromptEmbeddings Pipeline::encode_prompt(const std::string& prompt, const std::string& negative_prompt,
                                         const Prompting& prompting) const {
  return pipeline::translated([&] {
    const pipeline::RunScope scope(impl_->threads, nullptr);
    Request request;
    request.prompt = prompt;
    request.negative_prompt = negative_prompt;
    request.prompting = prompting;
    pipeline::check_prompting(prompting, info());
    std::vector<std::string> warnings;
    return pipeline::encode_prompts(*impl_->model, request, warnings);
  });
}

MemoryPlan Pipeline::plan(const Request& request) const {
  return pipeline::translated([&] {
    const pipeline::RunScope scope(impl_->threads, nullptr);
    const auto checked = pipeline::checked_request(request, impl_->model->info);
    pipeline::check_controls(*impl_->model, checked);
    return pipeline::plan_memory(*impl_->model, checked);
  });
}

Adapter Pipeline::load_adapter(const std::string& path) const {
  return pipeline::translated([&] {
    const pipeline::RunScope scope(impl_->threads, nullptr);
    return pipeline::load_adapter(impl_->model->adapters, path);
  });
}

Adapter Pipeline::load_embedding(const std::string& path, const std::vector<std::string>& tokens) const {
  return pipeline::translated([&] {
    const pipeline::RunScope scope(impl_->threads, nullptr);
    return pipeline::load_embedding(impl_->model->adapters, path, tokens);
  });
}

Control Pipeline::load_control(const std::string& path) const {
  return pipeline::translated([&] {
    const pipeline::RunScope scope(impl_->threads, nullptr);
    return pipeline::load_control(*impl_->model, path);
  });
}

Control Pipeline::load_control(std::shared_ptr<const Storage> storage) const {
  return pipeline::translated([&] {
    const pipeline::RunScope scope(impl_->threads, nullptr);
    return pipeline::load_control(*impl_->model, std::move(storage));
  });
}

ImageAdapter Pipeline::load_image_adapter(const std::string& path, const std::string& encoder) const {
  return pipeline::translated([&] {
    const pipeline::RunScope scope(impl_->threads, nullptr);
    return pipeline::load_image_adapter(*impl_->model, path, encoder);
  });
}

const PipelineInfo& Pipeline::info() const { return impl_->model->info; }

}  // namespace fjord
