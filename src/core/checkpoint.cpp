#include "core/checkpoint.h"

namespace fjord {
namespace {

thread_local CheckpointScope* innermost = nullptr;

}  // namespace

CheckpointScope::CheckpointScope(Checkpoint* checkpoint) : checkpoint_(checkpoint), outer_(innermost) {
  innermost = this;
}
CheckpointScope::~CheckpointScope() { innermost = outer_; }

void pass_checkpoint(const void* layer) {
  for (const auto* scope = innermost; scope != nullptr; scope = scope->outer_) {
    if (scope->checkpoint_ != nullptr) scope->checkpoint_->pass(layer);
  }
}

}  // namespace fjord
