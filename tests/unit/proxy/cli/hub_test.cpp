// What the hub's answers are turned into, and the hashes and manifests on disk.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "proxy/cli/fetch.hpp"
#include "proxy/cli/file_hash.hpp"
#include "proxy/cli/hub_listing.hpp"
#include "proxy/cli/manifest.hpp"

namespace cli = qrerank::proxy::cli;

namespace {

const std::string kSha1(40, 'a');
const std::string kSha256(64, 'b');

std::string small(const std::string& name) {
  return R"({"rfilename":")" + name + R"(","size":5,"blobId":")" + kSha1 + R"("})";
}
std::string large(const std::string& name) {
  return R"({"rfilename":")" + name + R"(","size":9,"blobId":"x","lfs":{"sha256":")" + kSha256 + R"("}})";
}
std::string answer(const std::vector<std::string>& siblings, const std::string& sha = kSha1) {
  std::string all;
  for (const auto& sibling : siblings) {
    all += (all.empty() ? "" : ",") + sibling;
  }
  return R"({"id":"o/n","sha":")" + sha + R"(","siblings":[)" + all + "]}";
}

// The names picked, or the error.
std::string picked(const std::vector<std::string>& siblings) {
  const auto listing = cli::read_hub_listing(answer(siblings));
  if (!listing) {
    return "! " + listing.error();
  }
  std::string names;
  for (const auto& file : listing->files) {
    names += (names.empty() ? "" : " ") + file.name;
  }
  return names;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hub)

BOOST_AUTO_TEST_CASE(the_files_a_model_needs) {
  const auto config = small("config.json");
  const auto tokenizer = large("tokenizer.json");
  BOOST_TEST(picked({small("README.md"), config, tokenizer, small("tokenizer_config.json"),
                     small("special_tokens_map.json"), large("model.safetensors"), large("pytorch_model.bin"),
                     large("onnx/model.onnx"), small("onnx/config.json"), small("vocab.txt")}) ==
             "config.json tokenizer.json tokenizer_config.json special_tokens_map.json model.safetensors");
  BOOST_TEST(picked({config, tokenizer, small("model.safetensors.index.json"),
                     large("model-00001-of-00002.safetensors"), large("model-00002-of-00002.safetensors"),
                     large("consolidated.safetensors")}) ==
             "config.json tokenizer.json model.safetensors.index.json model-00001-of-00002.safetensors "
             "model-00002-of-00002.safetensors");
  BOOST_TEST(picked({config, tokenizer, large("model.safetensors"), large("consolidated.safetensors")}) ==
             "config.json tokenizer.json model.safetensors");
  BOOST_TEST(picked({config, tokenizer, large("other.safetensors")}) ==
             "config.json tokenizer.json other.safetensors");
  BOOST_TEST(picked({small("1_Pooling/config.json"), config, small("modules.json"), large("onnx/model.onnx"),
                     small("config_sentence_transformers.json"), small("2_Dense/config.json"), tokenizer,
                     small("sentence_bert_config.json"), large("model.safetensors")}) ==
             "config.json tokenizer.json modules.json 1_Pooling/config.json sentence_bert_config.json "
             "config_sentence_transformers.json model.safetensors");
  const auto listing = cli::read_hub_listing(answer({config, tokenizer, large("model.safetensors")}));
  BOOST_TEST(listing->commit == kSha1);
  BOOST_TEST(listing->files[0].git_sha1 == kSha1);
  BOOST_TEST(listing->files[0].sha256.empty());
  BOOST_TEST(listing->files[2].sha256 == kSha256);
  BOOST_TEST(listing->files[2].bytes == 9u);
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_named) {
  BOOST_TEST(picked({large("tokenizer.json"), large("model.safetensors")}).find("no config.json") !=
             std::string::npos);
  BOOST_TEST(picked({small("config.json"), large("model.safetensors")}).find("no tokenizer.json") !=
             std::string::npos);
  BOOST_TEST(picked({small("config.json"), large("tokenizer.json"), large("pytorch_model.bin")})
                 .find("no safetensors") != std::string::npos);
  const std::string bare[] = {R"({"rfilename":"config.json"})",
                              R"({"rfilename":"config.json","size":5,"blobId":"zz"})",
                              R"({"rfilename":"config.json","size":-5,"blobId":")" + kSha1 + "\"}",
                              R"({"rfilename":"config.json","size":5,"lfs":{"sha256":"short"}})"};
  for (const auto& config : bare) {
    BOOST_TEST(picked({config, large("tokenizer.json"), large("m.safetensors")})
                       .find("size and hash of config.json") != std::string::npos,
               config);
  }
}

BOOST_AUTO_TEST_CASE(unsafe_names_refuse_everything) {
  for (const std::string name : {"../config.json", "a/../b", "/etc/passwd", "a//b", "a/", ".", "..", "",
                                 "a\\\\b", "a\\nb", "a\\u0000b"}) {
    BOOST_TEST(
        picked({small("config.json"), large("tokenizer.json"), large("model.safetensors"), small(name)})
                .find("unsafe name") != std::string::npos,
        name);
  }
  BOOST_TEST(picked({small("config.json"), small("config.json")}).find("twice") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(answers_that_are_none) {
  for (const std::string text : {"", "[]", "{}", "null", "{\"sha\":1}", "<html>", R"({"siblings":[]})"}) {
    BOOST_TEST(!cli::read_hub_listing(text).has_value(), text);
  }
  BOOST_TEST(!cli::read_hub_listing(answer({}, "main")).has_value());
  BOOST_TEST(!cli::read_hub_listing(answer({"5"})).has_value());
}

BOOST_AUTO_TEST_CASE(names) {
  for (const std::string good : {"gpt2", "BAAI/bge-reranker-v2-m3", "a_b/c.d"}) {
    BOOST_TEST(cli::is_hub_name(good), good);
  }
  for (const std::string bad :
       {"", "/a", "a/", "a/b/c", "../a", "a/..", "a/.b", ".a", "a b", "a?b", "a%2fb", "http://x"}) {
    BOOST_TEST(!cli::is_hub_name(bad), bad);
  }
}

BOOST_AUTO_TEST_CASE(addresses) {
  for (const std::string good : {"https://huggingface.co", "https://h:1/x", "http://127.0.0.1:8",
                                 "http://localhost/", "http://[::1]:5", "http://127.255.0.1"}) {
    BOOST_TEST(cli::is_allowed_url(good), good);
  }
  for (const std::string bad :
       {"", "http://huggingface.co", "http://127.0.0.1.evil.example", "http://127.evil", "ftp://h",
        "file:///etc/passwd", "https://", "https://u:p@h", "http://localhost.evil", "h"}) {
    BOOST_TEST(!cli::is_allowed_url(bad), bad);
  }
}

BOOST_AUTO_TEST_CASE(hashes) {
  const auto path =
      std::filesystem::temp_directory_path() / ("qrerank_hash_test_" + std::to_string(::getpid()));
  std::ofstream(path, std::ios::binary) << "hello\n";
  const auto hashes = cli::hash_file(path);
  BOOST_TEST_REQUIRE(hashes.has_value());
  BOOST_TEST(hashes->bytes == 6u);
  BOOST_TEST(hashes->sha256 == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
  BOOST_TEST(hashes->git_sha1 == "ce013625030ba8dba906f756967f9e9ca394464a");  // as git hash-object prints it
  std::filesystem::remove(path);
  BOOST_TEST(!cli::hash_file(path).has_value());
  BOOST_TEST(!cli::hash_file("/").has_value());
}

BOOST_AUTO_TEST_CASE(manifests_read_back) {
  const cli::Manifest manifest{"o/n", kSha1, {{"a \"b\"", {kSha256, 5}}, {"c", {kSha256, 1ull << 40}}}};
  const auto read = cli::parse_manifest(cli::print_manifest(manifest));
  BOOST_TEST_REQUIRE(read.has_value());
  BOOST_TEST(read->hub == "o/n");
  BOOST_CHECK(read->files == manifest.files);
  for (const std::string bad : {"", "{}", "[]", R"({"hub":1,"revision":"x","files":{}})",
                                R"({"hub":"h","revision":"x","files":{"a":{}}})"}) {
    BOOST_TEST(!cli::parse_manifest(bad).has_value(), bad);
  }
  BOOST_TEST(!cli::read_manifest("/nonexistent").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
