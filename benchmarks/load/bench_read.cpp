// The floor of loading: reads every .safetensors file below a folder with pread and converts its bytes from float16
// once, into fresh memory. Prints JSON.
// Usage: bench_read FOLDER float32|bfloat16
#include <ATen/ops/empty.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

constexpr std::int64_t kChunk = std::int64_t{2} << 20;  // elements

at::Tensor read_file(const std::string& path, at::ScalarType type) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const auto count = static_cast<std::int64_t>(std::filesystem::file_size(path)) / 2;
  auto out = at::empty({count}, type);
  const auto buffer = at::empty({kChunk}, at::kHalf);
  for (std::int64_t done = 0; done < count;) {
    const auto wanted = std::min(kChunk, count - done);
    const auto got = pread(fd, buffer.data_ptr(), static_cast<size_t>(wanted) * 2, done * 2) / 2;
    if (got <= 0) break;
    out.narrow(0, done, got).copy_(buffer.narrow(0, 0, got));
    done += got;
  }
  close(fd);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: bench_read FOLDER float32|bfloat16\n"), 64;
  const auto type = std::string(argv[2]) == "bfloat16" ? at::kBFloat16 : at::kFloat;
  std::vector<at::Tensor> kept;
  const auto start = std::chrono::steady_clock::now();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1])) {
    if (entry.path().extension() == ".safetensors") kept.push_back(read_file(entry.path().string(), type));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("{\"seconds\": %.4f, \"files\": %zu}\n", seconds.count(), kept.size());
}
