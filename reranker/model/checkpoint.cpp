#include "reranker/model/checkpoint.hpp"

#include <simdjson.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

#include "reranker/utf8.hpp"

namespace qrerank::reranker::model {
namespace {

constexpr auto kSingle = "model.safetensors";
constexpr auto kIndex = "model.safetensors.index.json";
/// What decides over scores, too.
constexpr std::array kReadBeside{"config.json", "tokenizer.json", "tokenizer_config.json"};

/// The files of an index and, per tensor, the one it promises.
struct Index {
  std::set<std::string> files;
  std::vector<std::pair<std::string, std::string>> tensors;
};

tl::expected<Index, std::string> read_index(const std::filesystem::path& path) {
  const auto bad = [&](const std::string& what) { return tl::unexpected(path.string() + ": " + what); };
  auto file = MappedFile::open(path);
  if (!file) return tl::unexpected(file.error());
  if ((*file)->bytes().empty()) return bad("no weight_map: the file is empty");
  simdjson::dom::parser parser;
  simdjson::dom::object weight_map;
  const auto text = (*file)->bytes();
  if (const auto error = parser.parse(text.data(), text.size())["weight_map"].get(weight_map)) {
    return bad(std::string("no weight_map: ") + simdjson::error_message(error));
  }
  Index index;
  for (const auto field : weight_map) {
    std::string_view name;
    if (field.value.get(name) != simdjson::SUCCESS) return bad("weight_map has a value that is not a file");
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
        name.find('\0') != std::string_view::npos) {
      return bad("weight_map names a file outside its folder: '" + first_code_points(name, 200) + "'");
    }
    index.files.emplace(name);
    index.tensors.emplace_back(field.key, name);
  }
  if (index.files.empty()) return bad("weight_map is empty");
  return index;
}

}  // namespace

tl::expected<std::unique_ptr<MappedFile>, std::string> MappedFile::open(const std::filesystem::path& path) {
  auto file = RegularFile::open(path);
  if (!file) return tl::unexpected(file.error());
  const auto size = static_cast<std::size_t>(file->size());
  void* data = size == 0 ? nullptr : ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file->descriptor(), 0);
  if (data == MAP_FAILED) return tl::unexpected(path.string() + ": " + std::strerror(errno));
  return std::unique_ptr<MappedFile>(new MappedFile(std::move(*file), static_cast<const char*>(data)));
}

bool MappedFile::is_whole() const {
  struct stat status{};
  return ::fstat(file_.descriptor(), &status) == 0 && static_cast<std::size_t>(status.st_size) >= size_;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
}

void release_pages(std::span<const std::byte> bytes) {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const auto first = (begin + page - 1) / page * page;
  const auto last = (begin + bytes.size()) / page * page;
  // The mapping is private and never written to: what is dropped is what the file holds.
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

tl::expected<void, std::string> Checkpoint::add_file(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return tl::unexpected(file.error());
  const auto bytes = (*file)->bytes();
  auto layout = parse_safetensors(bytes);
  if (!layout) return tl::unexpected(path.string() + ": " + layout.error());
  for (auto& entry : layout->tensors) {
    const auto stored =
        std::as_bytes(std::span(bytes)).subspan(layout->data_offset + entry.begin, entry.end - entry.begin);
    auto name = entry.name;
    const auto [at, added] = tensors_.try_emplace(
        std::move(name),
        StoredTensor{
            .file = path.string(), .entry = std::move(entry), .bytes = stored, .source = file->get()});
    if (!added) {
      return tl::unexpected(path.string() + ": tensor '" + at->first + "' is also in " + at->second.file);
    }
    total_bytes_ += stored.size();
  }
  add_fingerprint(path);
  files_.push_back(std::move(*file));
  return {};
}

void Checkpoint::add_fingerprint(const std::filesystem::path& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error) return;
  const auto changed = std::filesystem::last_write_time(path, error);
  fingerprint_ += path.filename().string() + ":" + std::to_string(bytes) + ":" +
                  std::to_string(error ? 0 : changed.time_since_epoch().count()) + ";";
}

tl::expected<Checkpoint, std::string> Checkpoint::open(const std::filesystem::path& folder) {
  Checkpoint checkpoint;
  std::error_code error;
  for (const auto* name : kReadBeside) checkpoint.add_fingerprint(folder / name);
  const auto index_path = folder / kIndex;
  if (std::filesystem::exists(folder / kSingle, error) || !std::filesystem::exists(index_path, error)) {
    if (auto added = checkpoint.add_file(folder / kSingle); !added) return tl::unexpected(added.error());
    return checkpoint;
  }
  const auto index = read_index(index_path);
  if (!index) return tl::unexpected(index.error());
  for (const auto& file : index->files) {
    if (auto added = checkpoint.add_file(folder / file); !added) return tl::unexpected(added.error());
  }
  for (const auto& [tensor, file] : index->tensors) {
    const auto* stored = checkpoint.find(tensor);
    if (stored == nullptr || std::filesystem::path(stored->file).filename() != file) {
      return tl::unexpected((folder / file).string() + ": tensor '" + tensor + "' is missing, but " + kIndex +
                            " says it is there");
    }
  }
  return checkpoint;
}

const StoredTensor* Checkpoint::find(const std::string& name) const {
  const auto at = tensors_.find(name);
  return at == tensors_.end() ? nullptr : &at->second;
}

}  // namespace qrerank::reranker::model
