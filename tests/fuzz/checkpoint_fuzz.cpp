// The files of a model folder: safetensors, its index and config.json. Whatever they hold, they are refused
// with words that can be shown, or what is read is within the file and within the bounds that the models
// count on.
//
// The first line of an input tells what follows: `safetensors`, `config`, or `folder`, whose index ends at
// the first line `--` and whose two files begin there and at the next.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "reranker/model/checkpoint.hpp"
#include "reranker/model/encoder_config.hpp"
#include "reranker/model/qwen3_config.hpp"
#include "reranker/model/safetensors.hpp"
#include "reranker/model/weight_bytes.hpp"
#include "reranker/utf8.hpp"
#include "tests/fuzz/property.hpp"

namespace qrerank::fuzz {
namespace {

namespace fs = std::filesystem;
namespace model = reranker::model;

void is_presentable(const std::string& error) {
  must(!error.empty(), "an error says something");
  must(reranker::count_code_points(error).has_value(), "an error is valid UTF-8");
}

void lies_within(const std::vector<model::TensorEntry>& tensors, std::uint64_t data_bytes) {
  std::set<std::string> names;
  std::uint64_t covered = 0;
  for (const auto& tensor : tensors) {
    must(names.insert(tensor.name).second, "a name comes once");
    must(tensor.begin == covered && tensor.end >= tensor.begin, "ranges follow one another without a hole");
    must(std::ranges::all_of(tensor.shape, [](auto size) { return size >= 0; }), "no side is negative");
    covered = tensor.end;
  }
  must(covered == data_bytes, "the tensors are all of the data");
}

void read_file(std::string_view file) {
  const auto layout = model::parse_safetensors(file);
  if (!layout) return is_presentable(layout.error());
  must(layout->data_offset <= file.size(), "the data begin in the file");
  lies_within(layout->tensors, file.size() - layout->data_offset);
}

void read_config(std::string_view json) {
  (void)model::is_qwen3_config(json);
  if (const auto config = model::parse_qwen3_config(json)) {
    must(config->hidden > 0 && config->layers > 0 && config->vocabulary > 0 && config->intermediate > 0 &&
             config->positions > 0,
         "sizes are there");
    must(config->kv_heads > 0 && config->heads % config->kv_heads == 0, "heads share keys evenly");
    must(config->head_dim > 0 && config->head_dim % 2 == 0, "a head can be turned");
    must(config->rms_norm_eps > 0 && config->rope_theta > 0, "numbers are above 0");
  } else {
    is_presentable(config.error());
  }
  if (const auto config = model::parse_encoder_config(json)) {
    must(config->hidden > 0 && config->layers > 0 && config->vocabulary > 0 && config->types > 0,
         "sizes are there");
    must(config->heads > 0 && config->hidden % config->heads == 0, "heads are alike");
    must(config->max_length() > 0, "a sequence has a token");
    must(config->layer_norm_eps > 0, "numbers are above 0");
  } else {
    is_presentable(config.error());
  }
}

// In memory, where that is mounted.
const fs::path& folder() {
  static const fs::path path = [] {
    const fs::path root = fs::exists("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
    auto made = root / ("qrerank-fuzz-" + std::to_string(::getpid()));
    fs::create_directories(made);
    std::atexit([] { fs::remove_all(folder()); });
    return made;
  }();
  return path;
}

void write(const std::string& name, std::string_view bytes) {
  std::ofstream(folder() / name, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string_view taken_to_bar(std::string_view& text) {
  constexpr std::string_view kBar = "\n--\n";
  const auto end = text.find(kBar);
  const auto part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + kBar.size());
  return part;
}

void read_folder(std::string_view text) {
  write("model.safetensors.index.json", taken_to_bar(text));
  write("a.safetensors", taken_to_bar(text));
  write("b.safetensors", text);
  const auto checkpoint = model::Checkpoint::open(folder());
  if (!checkpoint) return is_presentable(checkpoint.error());
  std::uint64_t bytes = 0;
  unsigned sum = 0;
  for (const auto& [name, stored] : checkpoint->tensors()) {
    bytes += stored.bytes.size();
    for (const auto byte : stored.bytes) sum += static_cast<unsigned>(byte);  // can be read
    must(fs::path(stored.file).parent_path() == folder(), "a file is in the folder");
  }
  must(bytes == checkpoint->total_bytes(), "all bytes are counted");
  volatile unsigned read = sum;
  (void)read;
  for (const auto* dtype : {"float32", "bfloat16", "int8"}) (void)model::weight_bytes(*checkpoint, dtype);
}

}  // namespace
}  // namespace qrerank::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qrerank::fuzz;
  auto text = text_of(data, size);
  const auto kind = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), kind.size() + 1));
  if (kind == "safetensors") read_file(text);
  if (kind == "config") read_config(text);
  if (kind == "folder") read_folder(text);
  return 0;
}
