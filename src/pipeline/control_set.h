// Control networks in memory, for the model that they were loaded for.
#pragma once

#include "models/control/controlnet.h"
#include "models/control/t2i_adapter.h"
#include "pipeline/model.h"

#include <fjord/control.h>
#include <fjord/storage.h>

#include <memory>
#include <string>

namespace fjord {

// What a control network is made of: one of the two networks.
struct Control::Impl {
  ControlInfo info;
  std::weak_ptr<const void> home;  // of the model that it was loaded for
  std::shared_ptr<const models::ControlNetModel> net;
  std::shared_ptr<const models::T2IAdapter> adapter;
  std::uint64_t weight_bytes = 0;
};

// The way in for fjord's own code.
struct ControlAccess {
  using Impl = Control::Impl;
  static const Impl* get(const Control& control) { return control.impl_.get(); }
  static Control make(Impl impl);
};

namespace pipeline {

// Reads a control network for `model`. Throws as Pipeline::load_control.
Control load_control(const Model& model, const std::string& path);
Control load_control(const Model& model, std::shared_ptr<const Storage> storage);

// Throws Error, beginning with `where`: kBadFile if the network is for another kind of U-Net, kUnsupported for
// conditions that a request cannot give.
void check_control_fit(const config::ControlNet& control, const Model& model, const std::string& where);
void check_control_fit(const config::T2IAdapter& adapter, const Model& model, const std::string& where);

}  // namespace pipeline
}  // namespace fjord
