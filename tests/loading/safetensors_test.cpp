// The safetensors reader against files that break every rule of the format, and against random damage.
#include "loading/safetensors_bytes.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <gmock/gmock.h>

#include <random>

namespace fjord {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::length_bytes;
using testing::open_bytes;
using testing::safetensors_bytes;

constexpr char kGood[] = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

struct BadFile {
  const char* name;
  std::string bytes;
  ErrorCode code = ErrorCode::kBadFile;
  const char* word = "";
};

void PrintTo(const BadFile& file, std::ostream* out) { *out << file.name; }

// One entry "a" with these fields, over 8 bytes of data.
BadFile entry(const char* name, const std::string& fields, const char* word = "a") {
  return {name, safetensors_bytes("{\"a\":{" + fields + "}}", 8), ErrorCode::kBadFile, word};
}

BadFile header(const char* name, const std::string& text, const char* word = "file.safetensors") {
  return {name, safetensors_bytes(text, 8), ErrorCode::kBadFile, word};
}

std::vector<BadFile> lengths() {
  const auto bad = ErrorCode::kBadFile;
  return {
      {"empty", "", bad, "0 bytes"},
      {"one_byte", "x", bad, "1 bytes"},
      {"seven_bytes", "1234567", bad, "7 bytes"},
      {"eight_bytes", length_bytes(0), bad, "8 bytes"},
      {"length_zero", length_bytes(0) + "{}", bad},
      {"length_one", length_bytes(1) + "{}", bad},
      {"length_beyond_file", length_bytes(1000) + "{}", bad, "1000"},
      {"length_2_63", length_bytes(std::uint64_t{1} << 63) + "{}", bad, "9223372036854775808"},
      {"length_2_64_less_1", length_bytes(~std::uint64_t{0}) + "{}", bad, "18446744073709551615"},
      {"length_2_64_less_8", length_bytes(~std::uint64_t{7}) + "{}", bad, "18446744073709551608"},
  };
}

std::vector<BadFile> headers() {
  const std::string open = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  return {
      header("byte_order_mark", std::string("\xef\xbb\xbf") + kGood),
      header("array", "[]"),
      header("leading_blank", std::string(" ") + kGood),
      header("padded_with_nul", kGood + std::string(3, '\0')),
      header("no_utf8", "{\"\xff\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"),
      header("lone_surrogate", R"({"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
      header("nul_in_name", R"({"a\u0000":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
      header("truncated_json", std::string(kGood, sizeof kGood - 3)),
      header("second_document", std::string(kGood) + "{}"),
      header("deep", "{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}"),
      header("very_deep", std::string(1000000, '[')),
      header("same_name_twice", open + R"(,"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
      header("metadata_twice", R"({"__metadata__":{},"__metadata__":{}})"),
      header("metadata_number", R"({"__metadata__":{"x":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
      header("metadata_array", R"({"__metadata__":[],"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
      header("not_a_number", R"({"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}})"),
      header("comment", R"({/**/"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
      header("entry_no_object", R"({"a":7})", "a"),
  };
}

std::vector<BadFile> entries() {
  return {
      entry("extra_key", R"("dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1)"),
      entry("key_twice", R"("dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8])"),
      entry("dtype_missing", R"("shape":[2],"data_offsets":[0,8])"),
      entry("dtype_number", R"("dtype":5,"shape":[2],"data_offsets":[0,8])"),
      entry("dtype_null", R"("dtype":null,"shape":[2],"data_offsets":[0,8])"),
      entry("dtype_lower_case", R"("dtype":"f32","shape":[2],"data_offsets":[0,8])"),
      entry("shape_missing", R"("dtype":"F32","data_offsets":[0,8])"),
      entry("shape_text", R"("dtype":"F32","shape":"2","data_offsets":[0,8])"),
      entry("shape_nested", R"("dtype":"F32","shape":[[2]],"data_offsets":[0,8])"),
      entry("shape_negative", R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"),
      entry("shape_fraction", R"("dtype":"F32","shape":[2.5],"data_offsets":[0,8])"),
      entry("shape_exponent", R"("dtype":"F32","shape":[2e0],"data_offsets":[0,8])"),
      entry("shape_2_64", R"("dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8])"),
      entry("shape_too_deep", R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8])"),
      entry("product_wraps_to_zero", R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])"),
      entry("product_wraps_by_size", R"("dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8])"),
      entry("offsets_missing", R"("dtype":"F32","shape":[2])"),
      entry("offsets_reversed", R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"),
      entry("offsets_negative", R"("dtype":"F32","shape":[2],"data_offsets":[-8,0])"),
      entry("offsets_float", R"("dtype":"F32","shape":[2],"data_offsets":[0.0,8.0])"),
      entry("offsets_three", R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])"),
      entry("offsets_one", R"("dtype":"F32","shape":[2],"data_offsets":[0])"),
      entry("end_beyond_file", R"("dtype":"F32","shape":[3],"data_offsets":[0,12])"),
      entry("begin_beyond_file", R"("dtype":"F32","shape":[2],"data_offsets":[80,88])"),
      entry("size_is_not_shape", R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"),
      entry("hole_before", R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"),
      entry("unknown_dtype_bad_offsets", R"("dtype":"F128","shape":[1],"data_offsets":[0,80])"),
      header("same_range", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                           R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"),
      header("overlap", R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},)"
                        R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})"),
      header("hole", R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                     R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})"),
      {"trailing_byte", safetensors_bytes(kGood, 9), ErrorCode::kBadFile, "file.safetensors"},
  };
}

std::vector<BadFile> other_formats() {
  const auto code = ErrorCode::kUnsupported;
  return {
      {"pickle", std::string("\x80\x02}q\x00", 5) + std::string(40, 'x'), code, "pickle"},
      {"zip", std::string("PK\x03\x04", 4) + std::string(40, 'x'), code, "ZIP"},
      {"gguf", "GGUF" + std::string(40, '\0'), code, "GGUF"},
      {"html", "<!DOCTYPE html><html><body>404</body></html>", code, "web page"},
      {"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", code, "LFS"},
  };
}

std::vector<BadFile> all_bad_files() {
  std::vector<BadFile> out;
  for (const auto& group : {lengths(), headers(), entries(), other_formats()}) {
    out.insert(out.end(), group.begin(), group.end());
  }
  return out;
}

class BadSafetensorsTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensorsTest, IsRefusedInOneSentence) {
  const auto error = error_of([] { open_bytes(GetParam().bytes); });
  EXPECT_EQ(error.code(), GetParam().code) << error.what();
  EXPECT_THAT(error.what(), HasSubstr(GetParam().word));
  EXPECT_THAT(error.what(), HasSubstr("file.safetensors"));
  EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("\n")));
  EXPECT_LT(std::string(error.what()).size(), 600u);
}

INSTANTIATE_TEST_SUITE_P(Files, BadSafetensorsTest, ::testing::ValuesIn(all_bad_files()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(SafetensorsTest, CutAnywhereIsRefused) {
  const auto whole = safetensors_bytes(kGood, 8);
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto cut = whole.substr(0, size);
    EXPECT_EQ(error_of([&] { open_bytes(cut); }).code(), ErrorCode::kBadFile) << size;
  }
  EXPECT_EQ(open_bytes(whole).tensors().size(), 1u);
}

TEST(SafetensorsTest, HeaderMayBePaddedWithBlanksAndNeedNotBeAligned) {
  for (size_t blanks = 0; blanks < 9; ++blanks) {
    const auto bytes = safetensors_bytes(kGood + std::string(blanks, ' '), 8);
    const auto file = open_bytes(bytes);
    auto out = at::empty({8}, at::kByte).view(at::kFloat);
    file.read_into(file.tensors().at("a"), "a", out);
    EXPECT_TRUE(out.view(at::kByte).equal(at::arange(8, at::kByte)));
  }
}

TEST(SafetensorsTest, HeaderLimitIsCheckedBeforeReading) {
  const auto bytes = safetensors_bytes(kGood, 8);
  const auto source = loading::open_memory({{"a", std::as_bytes(std::span(bytes))}});
  const loading::SafetensorsLimits exact{sizeof kGood - 1};
  EXPECT_EQ(loading::Safetensors(source->open("a"), exact).tensors().size(), 1u);
  const loading::SafetensorsLimits small{sizeof kGood - 2};
  EXPECT_THAT(error_of([&] { loading::Safetensors(source->open("a"), small); }).what(), HasSubstr("at most"));
}

TEST(SafetensorsTest, ScalarsAndEmptyTensorsAreTensors) {
  const auto bytes = safetensors_bytes(
      R"({"e":{"dtype":"F32","shape":[3,0],"data_offsets":[0,0]},"s":{"dtype":"I64","shape":[],"data_offsets":[0,8]}})",
      8);
  const auto file = open_bytes(bytes);
  auto scalar = at::empty({}, at::kLong);
  file.read_into(file.tensors().at("s"), "s", scalar);
  EXPECT_EQ(scalar.item<std::int64_t>(), 0x0706050403020100);
  auto empty = at::empty({3, 0}, at::kFloat);
  file.read_into(file.tensors().at("e"), "e", empty);
}

TEST(SafetensorsTest, ManyEmptyTensorsAreRead) {
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  const auto bytes = safetensors_bytes(text + "}", 0);
  EXPECT_EQ(open_bytes(bytes).tensors().size(), 100000u);
}

TEST(SafetensorsTest, AnUnknownDtypeIsListedButNotRead) {
  const auto bytes = safetensors_bytes(R"({"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}})", 8);
  const auto file = open_bytes(bytes);
  ASSERT_EQ(file.tensors().at("a").dtype, "F8_E4M3");
  if (file.tensors().at("a").type) return;  // this LibTorch knows it
  auto out = at::empty({8}, at::kFloat);
  const auto error = error_of([&] { file.read_into(file.tensors().at("a"), "a", out); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
}

TEST(SafetensorsTest, WhatIsWrittenIsReadAgain) {
  const testing::TempFolder folder;
  const auto values = at::arange(-3, 4, at::kFloat);
  std::map<std::string, at::Tensor> tensors;
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort, at::kChar,
                          at::kByte, at::kBool}) {
    tensors[at::toString(type)] = values.abs().to(type).view({7, 1});
  }
  loading::write_safetensors(folder.file("a.safetensors"), tensors, {{"key", "value \"quoted\""}});
  const loading::Safetensors file(loading::open_file(folder.file("a.safetensors")));
  EXPECT_EQ(file.metadata().at("key"), "value \"quoted\"");
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    auto out = at::empty(file.tensors().at(name).shape, tensor.scalar_type());
    file.read_into(file.tensors().at(name), name, out);
    EXPECT_TRUE(out.equal(tensor)) << name;
  }
}

TEST(SafetensorsTest, ReadingConvertsAsTorchDoes) {
  const testing::TempFolder folder;
  // More elements than one chunk of reading holds.
  const auto values = (at::arange(1 << 20, at::kFloat) * 0.37 - 1e5).to(at::kHalf);
  loading::write_safetensors(folder.file("a.safetensors"), {{"a", values}});
  const loading::Safetensors file(loading::open_file(folder.file("a.safetensors")));
  for (const auto type : {at::kFloat, at::kBFloat16, at::kDouble}) {
    auto out = at::empty({1 << 20}, type);
    file.read_into(file.tensors().at("a"), "a", out);
    EXPECT_TRUE(out.equal(values.to(type))) << at::toString(type);
  }
}

TEST(SafetensorsTest, UnwritablePlaceIsAnErrorAndLeavesNothing) {
  const testing::TempFolder folder;
  const auto write = [&] { loading::write_safetensors(folder.file("no/a"), {{"a", at::arange(3, at::kFloat)}}); };
  EXPECT_EQ(error_of(write).code(), ErrorCode::kCannotWrite);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// Damages a good file in one to three places.
std::string damaged(std::string bytes, std::mt19937& random) {
  const auto pick = [&random](size_t count) { return static_cast<size_t>(random() % count); };
  for (size_t left = 1 + pick(3); left > 0 && !bytes.empty(); --left) {
    const auto at = pick(bytes.size());
    switch (pick(6)) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << pick(8))); break;
      case 2: bytes.erase(at, 1 + pick(9)); break;
      case 3: bytes.insert(at, 1, "0123456789,:{}[]\"-.e \0"[pick(22)]); break;
      case 4: bytes.resize(at); break;
      default: bytes.insert(at, bytes.substr(at, pick(40))); break;
    }
  }
  return bytes;
}

TEST(SafetensorsTest, RandomDamageIsReadOrRefused) {
  const auto good = safetensors_bytes(
      R"({"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]},)"
      R"("b":{"dtype":"I64","shape":[],"data_offsets":[12,20]},"c":{"dtype":"BOOL","shape":[4],"data_offsets":[20,24]}})",
      24);
  ASSERT_EQ(open_bytes(good).tensors().size(), 3u);
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto bytes = damaged(good, random);
    try {
      const auto file = open_bytes(bytes);
      for (const auto& [name, entry] : file.tensors()) {
        if (!entry.type) continue;
        auto out = at::empty(entry.shape, *entry.type);
        file.read_into(entry, name, out);
      }
    } catch (const Error& error) {
      ++refused;
      ASSERT_TRUE(error.code() == ErrorCode::kBadFile || error.code() == ErrorCode::kUnsupported) << error.what();
    }
  }
  EXPECT_GT(refused, 10000);
}

TEST(SafetensorsTest, AHeaderWhoseLengthBeginsAsAPickleDoesIsRead) {
  for (const size_t length : {0x280, 0x380, 0x480, 0x580}) {
    std::string header = "{}";
    header.resize(length, ' ');
    const auto bytes = testing::safetensors_bytes(header, 0);
    EXPECT_TRUE(testing::open_bytes(bytes).tensors().empty());
  }
}

}  // namespace
}  // namespace fjord
