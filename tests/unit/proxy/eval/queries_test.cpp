#include "proxy/eval/queries.hpp"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <limits>
#include <vector>

#include "proxy/eval/vectors.hpp"
#include "tests/unit/proxy/eval/scratch_folder.hpp"

namespace eval = qrerank::proxy::eval;
using Strings = std::vector<std::string>;

namespace {

constexpr std::string_view kQueries =
    "{\"_id\": \"1\", \"text\": \"red fox\"}\n\n{\"_id\": 2, \"text\": "
    "\"caf\\u00e9\"}\r\n{\"_id\":\"x\",\"text\":\"c\"}";
constexpr std::string_view kQrels =
    "query-id\tcorpus-id\tscore\n1\td1\t2\n1\td2\t0\n2\td3\t1\r\nx\td4\t0\nother\td\t1\n";

// As numpy.save writes a version 1 file.
template <class Number>
std::string npy(const std::string& description, const std::string& shape,
                const std::vector<Number>& numbers) {
  std::string header = "{'descr': '" + description + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize((10 + header.size() + 64) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xFF);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  file.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number));
  return file;
}

struct Folder : ScratchFolder {
  Folder() {
    write("queries.jsonl", std::string(kQueries));
    write("qrels/test.tsv", std::string(kQrels));
  }
  tl::expected<eval::QuerySet, std::string> read(eval::QuerySource source = {}) const {
    source.folder = path;
    if (source.document_model.empty() && !source.vectors) source.document_model = "bm25";
    return eval::read_queries(source);
  }
  // Where the folder's own name is replaced by F.
  std::string problem(eval::QuerySource source = {}) const {
    const auto set = read(std::move(source));
    BOOST_TEST_REQUIRE(!set.has_value());
    auto text = set.error();
    if (text.starts_with(path.string())) text = "F" + text.substr(path.string().size());
    return text;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(queries)

BOOST_FIXTURE_TEST_CASE(with_judgements, Folder) {
  const auto set = read();
  BOOST_TEST_REQUIRE(set.has_value());
  BOOST_TEST(set->judged);
  BOOST_TEST(set->left_out == 1u);  // x has nothing relevant
  BOOST_TEST(set->qrels == (path / "qrels/test.tsv").string());
  BOOST_TEST_REQUIRE(set->queries.size() == 2u);
  BOOST_TEST(set->queries[0].id == "1");
  BOOST_TEST(set->queries[0].judged.at("d1") == 2);
  BOOST_TEST(set->queries[0].search == "{\"text\":\"red fox\",\"model\":\"bm25\"}");
  BOOST_TEST(set->queries[1].id == "2");
  BOOST_TEST(set->queries[1].text == "café");
  BOOST_TEST(set->queries[1].judged.at("d3") == 1);
}

BOOST_FIXTURE_TEST_CASE(only_the_first, Folder) {
  eval::QuerySource source;
  source.first = 1;
  const auto set = read(source);
  BOOST_TEST_REQUIRE(set.has_value());
  BOOST_TEST(set->queries.size() == 1u);
  BOOST_TEST(set->left_out == 2u);
}

BOOST_FIXTURE_TEST_CASE(without_judgements, Folder) {
  std::filesystem::remove_all(path / "qrels");
  const auto set = read();
  BOOST_TEST_REQUIRE(set.has_value());
  BOOST_TEST(!set->judged);
  BOOST_TEST(set->queries.size() == 3u);
  BOOST_TEST(set->left_out == 0u);
}

BOOST_FIXTURE_TEST_CASE(which_judgements, Folder) {
  write("qrels/dev.tsv", "query-id\tcorpus-id\tscore\nx\td4\t1\n");
  BOOST_TEST(read()->queries.size() == 2u);  // test.tsv wins
  eval::QuerySource named;
  named.qrels = "dev";
  BOOST_TEST(read(named)->queries[0].id == "x");
  named.qrels = "none";
  BOOST_TEST(problem(named) == "F/qrels/none.tsv is missing");
  std::filesystem::remove(path / "qrels/test.tsv");
  BOOST_TEST(read()->queries[0].id == "x");  // the only one
  write("qrels/train.tsv", std::string(kQrels));
  BOOST_TEST(problem() == "F/qrels holds several files and no test.tsv; name one with --qrels");
}

BOOST_FIXTURE_TEST_CASE(wrong_files, Folder) {
  const std::tuple<const char*, const char*, const char*> table[] = {
      {"queries.jsonl", "{\"_id\":\"1\",\"text\":\"a\"}\n[1]", "F/queries.jsonl:2: not a JSON object"},
      {"queries.jsonl", "{\"_id\":\"1\",\"text\":\"a\"}\n{", "F/queries.jsonl:2: not JSON: "},
      {"queries.jsonl", "{\"text\":\"a\"}", "F/queries.jsonl:1: _id is missing"},
      {"queries.jsonl", "{\"_id\":\"1\"}", "F/queries.jsonl:1: text is missing"},
      {"queries.jsonl", "{\"_id\":\"1\",\"text\":\" \"}", "F/queries.jsonl:1: text is blank"},
      {"queries.jsonl", "{\"_id\":\"1\",\"text\":\"a\"}\n{\"_id\":1,\"text\":\"b\"}",
       "F/queries.jsonl:2: _id 1 a second time"},
      {"queries.jsonl", "\n", "F/queries.jsonl holds no query"},
      {"qrels/test.tsv", "1\td1\t1\n", "F/qrels/test.tsv:1: the heading is not"},
      {"qrels/test.tsv", "query-id\tcorpus-id\tscore\n1\td1\n", "F/qrels/test.tsv:2: not three columns"},
      {"qrels/test.tsv", "query-id\tcorpus-id\tscore\n1\td1\tgood\n",
       "F/qrels/test.tsv:2: the score 'good' is not a whole number"},
      {"qrels/test.tsv", "query-id\tcorpus-id\tscore\n1\td1\t0\n",
       "F/qrels/test.tsv judges nothing relevant"}};
  for (const auto& [name, text, expected] : table) {
    write("queries.jsonl", std::string(kQueries));
    write("qrels/test.tsv", std::string(kQrels));
    write(name, text);
    const auto told = problem();
    BOOST_TEST(told.starts_with(expected), told);
  }
  std::filesystem::remove(path / "queries.jsonl");
  BOOST_TEST(problem() == "F/queries.jsonl: No such file or directory");
}

BOOST_FIXTURE_TEST_CASE(what_is_searched_with, Folder) {
  write("queries.jsonl",
        "{\"_id\":\"1\",\"text\":\"a\",\"vector\":[0.5,1]}\n{\"_id\":\"2\",\"text\":\"b\",\"point\":"
        "18446744073709551615}");
  eval::QuerySource own{path, std::nullopt, 0, std::nullopt, ""};
  const auto set = eval::read_queries(own);
  BOOST_TEST_REQUIRE(set.has_value());
  BOOST_TEST(set->queries[0].search == "[5E-1,1]");
  BOOST_TEST(set->queries[1].search == "18446744073709551615");
  write("queries.jsonl", "{\"_id\":\"1\",\"text\":\"a\"}");
  BOOST_TEST(
      eval::read_queries(own).error().starts_with("query 1 has nothing to search with: give --vectors"));
}

BOOST_FIXTURE_TEST_CASE(vectors_of_numpy, Folder) {
  eval::QuerySource source;
  source.vectors = path / "v.npy";
  write("v.npy", npy<float>("<f4", "(3, 2)", {0.1F, -2, 3, 4, 5, 1e-7F}));
  const auto set = read(source);
  BOOST_TEST_REQUIRE(set.has_value(), (set ? "" : set.error()));
  BOOST_TEST(set->queries[0].search == "[0.1,-2]");
  BOOST_TEST(set->queries[1].search == "[3,4]");
  write("v.npy", npy<double>("<f8", "(3, 1)", {0.1, 2, 3}));
  BOOST_TEST(read(source)->queries[0].search == "[0.1]");
  write("v.npy", npy<float>("<f4", "(2, 2)", {1, 2, 3, 4}));
  BOOST_TEST(problem(source) == "F/v.npy holds 2 vectors for 3 queries");
}

BOOST_FIXTURE_TEST_CASE(wrong_vectors, Folder) {
  const auto whole = npy<float>("<f4", "(3, 2)", {1, 2, 3, 4, 5, 6});
  const std::pair<std::string, std::string> table[] = {
      {"", "F/v.npy: not a NumPy file"},
      {std::string(40, 'x'), "F/v.npy: not a NumPy file"},
      {whole.substr(0, 20), "F/v.npy: cut off"},
      {whole.substr(0, whole.size() - 1), "F/v.npy: announces 3 x 2 numbers and holds 5"},
      {whole + "more", "F/v.npy: announces 3 x 2 numbers and holds 7"},
      {npy<float>("<i4", "(3, 2)", {}), "F/v.npy: holds something else than little-endian"},
      {npy<float>(">f4", "(3, 2)", {}), "F/v.npy: holds something else than little-endian"},
      {npy<float>("<f4", "(6,)", {}), "F/v.npy: holds something else than little-endian"},
      {npy<float>("<f4", "(3, 0)", {}), "F/v.npy: vectors of 0 dimensions"},
      {npy<float>("<f4", "(999999999999, 2)", {1, 2}),
       "F/v.npy: announces 999999999999 x 2 numbers and holds 2"},
      {npy<float>("<f4", "(1, 1)", {std::numeric_limits<float>::infinity()}),
       "F/v.npy: row 0 has a number that is not finite"}};
  for (const auto& [bytes, expected] : table) {
    write("v.npy", bytes);
    eval::QuerySource source;
    source.vectors = path / "v.npy";
    const auto told = problem(source);
    BOOST_TEST(told.starts_with(expected), told);
  }
}

BOOST_FIXTURE_TEST_CASE(vectors_by_line, Folder) {
  eval::QuerySource source;
  source.vectors = path / "v.jsonl";
  write("v.jsonl",
        "{\"_id\":\"x\",\"vector\":[3]}\n{\"_id\":\"1\",\"vector\":{\"indices\":[1],\"values\":[2]}}\n"
        "{\"_id\":\"2\",\"vector\":[[1],[2]]}\n");
  const auto set = read(source);
  BOOST_TEST_REQUIRE(set.has_value(), (set ? "" : set.error()));
  BOOST_TEST(set->queries[0].search == "{\"indices\":[1],\"values\":[2]}");
  BOOST_TEST(set->queries[1].search == "[[1],[2]]");
  const std::pair<const char*, const char*> table[] = {
      {"{\"_id\":\"1\",\"vector\":[3]}", "F/v.jsonl: no vector for query 2"},
      {"{\"_id\":\"1\"}", "F/v.jsonl:1: vector is missing"},
      {"{\"vector\":[1]}", "F/v.jsonl:1: _id is missing"},
      {"{\"_id\":\"1\",\"vector\":[3]}\n{\"_id\":\"1\",\"vector\":[3]}", "F/v.jsonl:2: _id 1 a second time"}};
  for (const auto& [text, expected] : table) {
    write("v.jsonl", text);
    const auto told = problem(source);
    BOOST_TEST(told.starts_with(expected), told);
  }
}

BOOST_AUTO_TEST_SUITE_END()
