#include "reranker/model/embedding_recipe.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <vector>

#include "reranker/model/config_members.hpp"
#include "reranker/regular_file.hpp"

namespace qrerank::reranker::model {
namespace {

using simdjson::dom::element;

// What the models' own pages say. The first row whose words all occur in the name is the one.
struct Family {
  std::array<std::string_view, 2> words;
  Pooling pooling;
  std::string_view query_prefix;
};
constexpr std::string_view kEnglishPassages = "Represent this sentence for searching relevant passages: ";
constexpr std::array kFamilies = {
    Family{{"bge-", "-en"}, Pooling::cls, kEnglishPassages},
    Family{{"bge-", "-zh"}, Pooling::cls, "为这个句子生成表示以用于检索相关文章："},
    Family{{"bge-", ""}, Pooling::cls, ""},
    Family{{"arctic-embed", ""}, Pooling::cls, kEnglishPassages},
    Family{{"e5-", "instruct"},
           Pooling::mean,
           "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "},
    Family{{"e5-", ""}, Pooling::mean, "query: "},
    Family{{"minilm", ""}, Pooling::mean, ""},
    Family{{"gte-", ""}, Pooling::mean, ""},
};

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 20U;  // of one of the small files
constexpr std::string_view kPoolingFile = "1_Pooling/config.json";

// What the files of a folder say.
struct Said {
  std::optional<Pooling> pooling;
  std::optional<bool> normalize;
  std::optional<std::string> query_prefix;
  std::optional<std::size_t> max_length;
};

// One of the small files: null where it is not there. The first failure sticks.
class Files {
 public:
  explicit Files(const std::filesystem::path& folder) : folder_(folder) {}

  std::optional<element> open(std::string_view name) {
    std::error_code unseen;
    if (!std::filesystem::exists(folder_ / name, unseen)) return std::nullopt;
    const auto text = read_regular_file(folder_ / name, kMaxBytes);
    element root;
    if (!text) {
      if (error_.empty()) error_ = text.error();
    } else if (const auto error = parser_.parse(text->data(), text->size()).get(root)) {
      fail(name, std::string("not JSON: ") + simdjson::error_message(error));
    } else {
      return root;
    }
    return std::nullopt;
  }

  void fail(std::string_view name, const std::string& why) {
    if (error_.empty()) error_ = (folder_ / name).string() + ": " + why;
  }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  const std::filesystem::path folder_;
  simdjson::dom::parser parser_;
  std::string error_;
};

bool is_true(element root, std::string_view name) {
  bool value = false;
  return root[name].get(value) == simdjson::SUCCESS && value;
}

void read_pooling(Files& files, bool overridden, Said& said) {
  const auto root = files.open(kPoolingFile);
  if (!root || overridden) return;
  const bool cls = is_true(*root, "pooling_mode_cls_token");
  const bool mean = is_true(*root, "pooling_mode_mean_tokens");
  constexpr std::array kOthers = {"pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens",
                                  "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken"};
  const bool other = std::ranges::any_of(kOthers, [&](const char* name) { return is_true(*root, name); });
  bool with_prompt = true;
  if (root->at_key("include_prompt").get(with_prompt) == simdjson::SUCCESS && !with_prompt) {
    files.fail(kPoolingFile, "include_prompt: expected true, found false");
  } else if (cls == mean || other) {
    files.fail(kPoolingFile, "expected cls or mean pooling alone, found something else");
  } else {
    said.pooling = cls ? Pooling::cls : Pooling::mean;
  }
}

void read_modules(Files& files, Said& said) {
  constexpr std::string_view kFile = "modules.json";
  const auto root = files.open(kFile);
  simdjson::dom::array modules;
  if (!root || root->get(modules) != simdjson::SUCCESS) return;
  said.normalize = false;
  for (const element module : modules) {
    std::string_view type;
    if (module["type"].get(type) != simdjson::SUCCESS) continue;
    if (type.ends_with("Normalize")) {
      said.normalize = true;
    } else if (!type.ends_with("Transformer") && !type.ends_with("Pooling")) {
      files.fail(kFile,
                 "expected Transformer, Pooling and Normalize, found " + std::string(type.substr(0, 100)));
    }
  }
}

void read_prompts(Files& files, Said& said) {
  const auto root = files.open("config_sentence_transformers.json");
  std::string_view prompt;
  if (root && root->at_pointer("/prompts/query").get(prompt) == simdjson::SUCCESS && !prompt.empty()) {
    said.query_prefix = std::string(prompt);
  }
}

void read_limit(Files& files, Said& said) {
  const auto root = files.open("sentence_bert_config.json");
  std::int64_t limit = 0;
  constexpr std::int64_t kMost = 1 << 20;
  if (root && root->at_key("max_seq_length").get(limit) == simdjson::SUCCESS && limit > 0 && limit <= kMost) {
    said.max_length = static_cast<std::size_t>(limit);
  }
}

std::string spelled(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

}  // namespace

std::optional<EmbeddingRecipe> family_recipe(std::string_view name) {
  const auto lower = spelled(name);
  const auto family = std::ranges::find_if(kFamilies, [&](const Family& row) {
    return std::ranges::all_of(row.words,
                               [&](std::string_view word) { return lower.find(word) != lower.npos; });
  });
  if (family == kFamilies.end()) return std::nullopt;
  return EmbeddingRecipe{.pooling = family->pooling,
                         .normalize = true,
                         .query_prefix = std::string(family->query_prefix),
                         .max_length = std::nullopt};
}

tl::expected<EmbeddingRecipe, std::string> embedding_recipe(const std::filesystem::path& folder,
                                                            const EmbeddingChoices& choices) {
  Files files(folder);
  Said said;
  read_pooling(files, choices.pooling.has_value(), said);
  read_modules(files, said);
  read_prompts(files, said);
  read_limit(files, said);
  if (!files.error().empty()) return tl::unexpected(files.error());
  const std::string folder_name =
      folder.filename().empty() ? folder.parent_path().filename() : folder.filename();
  const auto family = family_recipe(choices.known_as.empty() ? folder_name : choices.known_as);
  EmbeddingRecipe recipe = family.value_or(EmbeddingRecipe());
  if (choices.pooling) {
    recipe.pooling = *choices.pooling;
  } else if (said.pooling) {
    recipe.pooling = *said.pooling;
  } else if (!family) {
    return tl::unexpected(folder.string() +
                          ": pooling: expected cls or mean to be configured, for the folder has no " +
                          std::string(kPoolingFile) + " and its name is no known family's");
  }
  recipe.normalize = choices.normalize.value_or(said.normalize.value_or(recipe.normalize));
  if (said.query_prefix) recipe.query_prefix = *said.query_prefix;
  if (choices.query_prefix) recipe.query_prefix = *choices.query_prefix;
  recipe.max_length = said.max_length;
  return recipe;
}

}  // namespace qrerank::reranker::model
