// Options as the commands declare them.
#include "cli/command_line.h"

#include "cli/exit_codes.h"

#include <gtest/gtest.h>

namespace fjord::cli {
namespace {

// A command `make` with one option of each kind.
class CommandLineTest : public testing::Test {
 protected:
  std::string parse(std::vector<const char*> arguments) {
    CommandLine line("about", "the end", "fjord 1.2.3");
    line.add_command("other", "another", "", [] {});
    CommandOptions options = line.add_command("make", "makes", "examples", [this] { chosen_ = true; });
    options.required_text("--prompt", "TEXT", "p", prompt_);
    options.text("--negative", "TEXT", "n", negative_);
    const auto note = [this](const std::string& option, const std::string& text) {
      if (text == "bad") throw UsageError(option + " is bad");
      read_.push_back(option + "=" + text);
    };
    options.parsed("--seed", "S", "s", note);
    options.repeated("--pair", "K=V", "k", note);
    options.flag("--json", "j", json_);
    arguments.insert(arguments.begin(), "fjord");
    return line.parse(static_cast<int>(arguments.size()), arguments.data());
  }

  std::string prompt_, negative_ = "unset";
  std::vector<std::string> read_;
  bool json_ = false, chosen_ = false;
};

TEST_F(CommandLineTest, OptionsReachTheirTargets) {
  EXPECT_EQ(parse({"make", "--prompt", "-a = b", "--seed", "-1", "--pair", "a=1", "--pair", "b=", "--json"}), "");
  EXPECT_TRUE(chosen_);
  EXPECT_TRUE(json_);
  EXPECT_EQ(prompt_, "-a = b");
  EXPECT_EQ(negative_, "unset");
  EXPECT_EQ(read_, (std::vector<std::string>{"--seed=-1", "--pair=a=1", "--pair=b="}));
}

TEST_F(CommandLineTest, EmptyTextsAreTexts) {
  EXPECT_EQ(parse({"make", "--prompt=", "--negative", "", "--json"}), "");
  EXPECT_EQ(prompt_, "");
  EXPECT_EQ(negative_, "");
  EXPECT_TRUE(json_);
}

TEST_F(CommandLineTest, HelpAndVersionAreTextsToPrint) {
  EXPECT_EQ(parse({"--version"}), "fjord 1.2.3\n");
  EXPECT_NE(parse({"--help"}).find("the end"), std::string::npos);
  EXPECT_NE(parse({"make", "--help"}).find("examples"), std::string::npos);
  EXPECT_FALSE(chosen_);
}

TEST_F(CommandLineTest, WrongCommandLinesAreUsageErrors) {
  const std::vector<std::vector<const char*>> wrong = {{},
                                                       {"bogus"},
                                                       {""},
                                                       {"make"},
                                                       {"make", "--prompt"},
                                                       {"make", "--prompt", "x", "--bogus"},
                                                       {"make", "--prompt", "x", "stray"},
                                                       {"make", "--prompt", "x", "--prompt", "y"},
                                                       {"make", "--prompt", "x", "--seed", "bad"},
                                                       {"make", "--prompt", "x", "other"}};
  for (const auto& arguments : wrong) {
    try {
      parse(arguments);
      ADD_FAILURE() << "no error for " << arguments.size() << " arguments";
    } catch (const UsageError& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace fjord::cli
