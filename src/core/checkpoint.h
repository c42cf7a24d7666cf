// Places in long work where it may be stopped or held: between the layers of a network, between tiles of a picture.
#pragma once

namespace fjord {

class Checkpoint {
 public:
  virtual ~Checkpoint() = default;
  // Called on the thread that does the work, before `layer` runs. May wait; throws to stop the work.
  virtual void pass(const void* layer) = 0;
};

// While it lives, work on this thread passes `checkpoint` too, after those of the scopes within it.
class CheckpointScope {
 public:
  explicit CheckpointScope(Checkpoint* checkpoint);
  ~CheckpointScope();
  CheckpointScope(const CheckpointScope&) = delete;
  CheckpointScope& operator=(const CheckpointScope&) = delete;

 private:
  friend void pass_checkpoint(const void* layer);
  Checkpoint* checkpoint_;  // may be null
  CheckpointScope* outer_;
};

// Passes the checkpoints of this thread; a few nanoseconds where nothing holds. `layer` tells the places apart.
void pass_checkpoint(const void* layer);

}  // namespace fjord
