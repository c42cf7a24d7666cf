// Names of the choices in image_input.h and hires.h, for options and records.
#pragma once

#include <fjord/request.h>

#include <optional>
#include <string>

namespace fjord::cli {

// Nothing for a text that names none.
std::optional<Fit> fit_from(const std::string& name);                   // "stretch", "crop", "fill"
std::optional<PaintRegion> paint_region_from(const std::string& name);  // "whole", "fitted", "native"
std::optional<Upscaler> upscaler_from(const std::string& name);         // "latent", "pixels"

std::string name_of(Fit fit);
std::string name_of(PaintRegion region);
std::string name_of(Upscaler upscaler);

}  // namespace fjord::cli
