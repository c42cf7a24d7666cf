// An array of float32, float16 or bfloat16 numbers in memory as a kernel sees it.
#pragma once

#include "kernels/emulator.h"

#include <limits>
#include <random>
#include <vector>

namespace fjord::testing {

class ElementArray {
 public:
  ElementArray(Element element, size_t count)
      : element_(element), words_((count * bytes() + sizeof(Chunk) - 1) / sizeof(Chunk)), count_(count) {
    for (size_t i = 0; i < count; ++i) set(i, std::numeric_limits<float>::quiet_NaN());
  }

  static ElementArray normal(Element element, size_t count, unsigned seed, float mean = 0, float deviation = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> distribution(mean, deviation);
    ElementArray out(element, count);
    for (size_t i = 0; i < count; ++i) out.set(i, distribution(random));
    return out;
  }

  // A number as the element holds it.
  static double rounded(Element element, double x) {
    const auto single = static_cast<float>(x);
    return element == Element::kFloat32 ? single : from_bits(element, to_bits(element, single));
  }

  size_t size() const { return count_; }
  const void* data() const { return words_.data(); }
  void* data() { return words_.data(); }

  double operator[](size_t i) const {
    if (element_ == Element::kFloat32) return at<float>(i);
    return from_bits(element_, at<std::uint16_t>(i));
  }
  void set(size_t i, float x) {
    if (element_ == Element::kFloat32) return put(i, x);
    put(i, to_bits(element_, x));
  }

  void allow(EmulatedBlock& block) const { block.allow(data(), count_ * bytes()); }
  void allow_writing(EmulatedBlock& block) { block.allow(data(), count_ * bytes(), true); }

  // NaN counts as infinitely wrong.
  double largest_error(const std::vector<double>& expected) const {
    double most = 0;
    for (size_t i = 0; i < count_; ++i) {
      const double error = std::fabs((*this)[i] - expected[i]);
      if (!(error <= most)) most = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
    }
    return most;
  }

 private:
  struct alignas(16) Chunk {
    unsigned char bytes[16];
  };

  size_t bytes() const { return static_cast<size_t>(kernels::cuda::bytes_of(element_)); }
  template <typename T>
  T at(size_t i) const {
    T x;
    std::memcpy(&x, static_cast<const char*>(data()) + i * sizeof(T), sizeof(T));
    return x;
  }
  template <typename T>
  void put(size_t i, T x) {
    std::memcpy(static_cast<char*>(data()) + i * sizeof(T), &x, sizeof(T));
  }

  Element element_;
  std::vector<Chunk> words_;
  size_t count_;
};

}  // namespace fjord::testing
