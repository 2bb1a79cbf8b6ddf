#include "proxy/eval/queries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <string_view>
#include <system_error>

#include "proxy/eval/json_lines.hpp"
#include "proxy/eval/vectors.hpp"
#include "proxy/observe/json_text.hpp"

namespace qrerank::proxy::eval {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using Text = tl::expected<std::string, std::string>;
using Done = tl::expected<void, std::string>;

constexpr std::string_view kHeading = "query-id\tcorpus-id\tscore";

// Which file holds the judgements: empty where there are none.
Text find_qrels(const QuerySource& source) {
  const auto folder = source.folder / "qrels";
  if (source.qrels) {
    const auto file = folder / (*source.qrels + ".tsv");
    if (!fs::is_regular_file(file)) return tl::unexpected(file.string() + " is missing");
    return file.string();
  }
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".tsv") found.push_back(entry.path().string());
  }
  if (const auto test = (folder / "test.tsv").string(); std::ranges::find(found, test) != found.end())
    return test;
  if (found.size() > 1)
    return tl::unexpected(folder.string() + " holds several files and no test.tsv; name one with --qrels");
  return found.empty() ? "" : found[0];
}

using Qrels = std::map<std::string, Judgements, std::less<>>;

std::string read_judgement(std::string_view line, Qrels& into) {
  const auto first = line.find('\t');
  const auto second = first == std::string_view::npos ? first : line.find('\t', first + 1);
  if (second == std::string_view::npos) return "not three columns with a tab between them";
  const auto score = line.substr(second + 1);
  int judgement = 0;
  const auto [end, error] = std::from_chars(score.data(), score.data() + score.size(), judgement);
  if (error != std::errc() || end != score.data() + score.size())
    return "the score '" + std::string(score) + "' is not a whole number";
  into[std::string(line.substr(0, first))][std::string(line.substr(first + 1, second - first - 1))] =
      judgement;
  return "";
}

tl::expected<Qrels, std::string> read_qrels(const std::string& file) {
  std::ifstream lines(file);
  if (!lines) return tl::unexpected(file + ": " + std::strerror(errno));
  Qrels qrels;
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (number == 1) {
      if (line != kHeading)
        return tl::unexpected(file + ":1: the heading is not query-id, corpus-id, score with tabs between");
      continue;
    }
    if (line.empty()) continue;
    if (const auto wrong = read_judgement(line, qrels); !wrong.empty())
      return tl::unexpected(fmt::format("{}:{}: {}", file, number, wrong));
  }
  return qrels;
}

// What a line of queries.jsonl itself says to search with; empty when nothing.
std::string own_search(const json::object& object) {
  const auto* vector = object.if_contains("vector");
  if (vector != nullptr && (vector->is_array() || vector->is_object())) return json::serialize(*vector);
  const auto* point = object.if_contains("point");
  const bool is_id = point != nullptr && (point->is_string() || point->is_int64() || point->is_uint64());
  return is_id ? json::serialize(*point) : "";
}

tl::expected<std::vector<Query>, std::string> read_lines(const fs::path& file) {
  std::vector<Query> queries;
  std::set<std::string> ids;
  const auto read = read_json_lines(file, [&](const json::object& object) -> std::string {
    Query query{id_member(object, "_id"), "", own_search(object), {}};
    const auto* text = object.if_contains("text");
    if (query.id.empty()) return "_id is missing";
    if (text == nullptr || !text->is_string()) return "text is missing";
    query.text = std::string(text->get_string());
    if (query.text.find_first_not_of(" \t\r\n") == std::string::npos) return "text is blank";
    if (!ids.insert(query.id).second) return "_id " + query.id + " a second time";
    queries.push_back(std::move(query));
    return "";
  });
  if (!read) return tl::unexpected(read.error());
  if (queries.empty()) return tl::unexpected(file.string() + " holds no query");
  return queries;
}

Done take_vectors(std::vector<Query>& queries, const fs::path& file) {
  for (auto& query : queries) query.search.clear();
  if (file.extension() == ".npy") {
    auto rows = read_npy(file);
    if (!rows) return tl::unexpected(rows.error());
    if (rows->size() != queries.size())
      return tl::unexpected(
          fmt::format("{} holds {} vectors for {} queries", file.string(), rows->size(), queries.size()));
    for (std::size_t at = 0; at < queries.size(); ++at) queries[at].search = std::move((*rows)[at]);
    return {};
  }
  auto by_id = read_vector_lines(file);
  if (!by_id) return tl::unexpected(by_id.error());
  for (auto& query : queries) {
    if (const auto found = by_id->find(query.id); found != by_id->end()) query.search = found->second;
  }
  return {};
}

Done take_searches(std::vector<Query>& queries, const QuerySource& source) {
  if (source.vectors) return take_vectors(queries, *source.vectors);
  if (source.document_model.empty()) return {};
  for (auto& query : queries) {
    query.search = "{\"text\":" + observe::json_string(query.text) +
                   ",\"model\":" + observe::json_string(source.document_model) + "}";
  }
  return {};
}

// Of the queries that count; others may lack one.
Done check_searches(const std::vector<Query>& queries, const QuerySource& source) {
  for (const auto& query : queries) {
    if (!query.search.empty()) continue;
    if (source.vectors) return tl::unexpected(source.vectors->string() + ": no vector for query " + query.id);
    return tl::unexpected("query " + query.id +
                          " has nothing to search with: give --vectors or --document-model, or a member "
                          "vector or point in its line of queries.jsonl");
  }
  return {};
}

bool has_relevant(const Query& query) {
  return std::ranges::any_of(query.judged, [](const auto& entry) { return entry.second > 0; });
}

}  // namespace

tl::expected<QuerySet, std::string> read_queries(const QuerySource& source) {
  auto queries = read_lines(source.folder / "queries.jsonl");
  if (!queries) return tl::unexpected(queries.error());
  if (auto taken = take_searches(*queries, source); !taken) return tl::unexpected(taken.error());
  const auto qrels_file = find_qrels(source);
  if (!qrels_file) return tl::unexpected(qrels_file.error());
  QuerySet set;
  const auto all = queries->size();
  if (!qrels_file->empty()) {
    auto qrels = read_qrels(*qrels_file);
    if (!qrels) return tl::unexpected(qrels.error());
    for (auto& query : *queries) {
      if (const auto found = qrels->find(query.id); found != qrels->end()) query.judged = found->second;
    }
    std::erase_if(*queries, [](const Query& query) { return !has_relevant(query); });
    if (queries->empty())
      return tl::unexpected(*qrels_file + " judges nothing relevant to any of the queries");
    set.judged = true;
    set.qrels = *qrels_file;
  }
  if (source.first > 0 && queries->size() > source.first) queries->resize(source.first);
  if (auto checked = check_searches(*queries, source); !checked) return tl::unexpected(checked.error());
  set.left_out = all - queries->size();
  set.queries = std::move(*queries);
  return set;
}

}  // namespace qrerank::proxy::eval
