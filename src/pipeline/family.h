// What the class of a pipeline means: which text encoders it has, how it uses them, and its defaults.
#pragma once

#include "loading/config_json.h"

#include <string>
#include <vector>

namespace fjord::pipeline {

// Whether the reference class corrects scheduler fields of outdated folders.
enum class OutdatedScheduler { kCorrect, kKeep };

// Kinds of pipeline classes, by what they make of text and pictures.
struct Family {
  // Folders of the text encoders that the model has, in the order in which their features are joined: "text_encoder",
  // "text_encoder_2". Tokenizers lie in "tokenizer" and "tokenizer_2".
  std::vector<std::string> text_encoders;
  // Text states come from the layer before the last, without the final norm; the last encoder's pooled text and the
  // sizes of the picture are conditions of their own. arXiv:2307.01952.
  bool pooled_text = false;
  bool zeros_for_empty_prompt = false;  // see EmptyNegative::kModel
  bool aesthetic_score = false;         // the U-Net is told a score instead of the picture's own size
  OutdatedScheduler outdated = OutdatedScheduler::kKeep;
  int steps = 50;         // the reference class's default
  double guidance = 7.5;  // likewise
};

// Throws Error: kUnsupported for a class that fjord does not know, kBadFile if a component is missing.
Family family_of(const loading::ModelIndex& index, const std::string& where);

// The tokenizer's folder of a text encoder's: "text_encoder_2" -> "tokenizer_2".
std::string tokenizer_folder(const std::string& text_encoder);

}  // namespace fjord::pipeline
