// Where pictures go and where the model is.
#pragma once

#include <string>

namespace fjord::cli {

// The path of picture `index` (from 0) of `count`: "out.png", or "out-1.png", "out-2.png"... if there are several.
std::string numbered_path(const std::string& path, int index, int count);

// Puts `suffix` before the extension: "a/b.png", "-replay" -> "a/b-replay.png".
std::string with_suffix(const std::string& path, const std::string& suffix);

// Throws Error(kCannotWrite) if no file could appear at `path`; creates nothing that stays.
void check_writable(const std::string& path);

// The folder of the model that ships with fjord.
constexpr char kDefaultModel[] = "weights/tiny";

// `model` as it is, unless it is kDefaultModel and not in the present folder: then that of the source tree or the
// installation that this program belongs to. Throws Error(kNotFound) if there is none.
std::string find_model(const std::string& model);

}  // namespace fjord::cli
