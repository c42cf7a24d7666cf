// The `fjord` program: signals and descriptors are set up here, the rest is in program.cpp.
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/program.h"

int main(int argc, char** argv) {
  fjord::cli::keep_standard_descriptors_open();
  fjord::cli::catch_interrupts();
  return fjord::cli::run_program(argc, argv);
}
