#include <boost/test/unit_test.hpp>
#include <random>

#include "reranker/model/checkpoint.hpp"
#include "reranker/model/safetensors.hpp"
#include "reranker/model/weight_bytes.hpp"
#include "reranker/utf8.hpp"
#include "tests/unit/reranker/model/safetensors_file.hpp"

using namespace qrerank::reranker::model;
using qrerank::tests::safetensors_bytes;
using qrerank::tests::TemporaryFolder;

namespace {

const std::string kGood =
    R"({"b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
    R"("s":{"dtype":"I64","shape":[],"data_offsets":[22,30]},"e":{"dtype":"F16","shape":[0,4],"data_offsets":[30,30]},)"
    R"("__metadata__":{"format":"pt"}}  )";

struct Broken {
  std::string header;
  std::size_t data;
  std::string says;
};

std::string one(const std::string& entry) {
  return R"({"t":)" + entry + "}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(safetensors)

BOOST_AUTO_TEST_CASE(a_good_file_lists_its_tensors_in_order_of_data) {
  const auto layout = parse_safetensors(safetensors_bytes(kGood, 30));
  BOOST_REQUIRE_MESSAGE(layout.has_value(), (layout ? std::string() : layout.error()));
  BOOST_REQUIRE(layout->tensors.size() == 4U);
  BOOST_TEST(layout->tensors[0].name == "a");
  BOOST_TEST(layout->tensors[1].name == "b");
  BOOST_TEST(layout->tensors[2].shape.empty());
  BOOST_TEST(layout->tensors[3].name == "e");
  BOOST_TEST(layout->data_offset == 8 + kGood.size());
}

BOOST_AUTO_TEST_CASE(every_broken_header_is_an_error_that_says_what) {
  const std::vector<Broken> cases{
      {"", 0, "not JSON"},
      {"{", 0, "not JSON"},
      {"[]", 0, "not an object"},
      {R"({"t":1})", 0, "expected an object"},
      {one(R"({"shape":[1],"data_offsets":[0,4]})"), 4, "no dtype"},
      {one(R"({"dtype":"F31","shape":[1],"data_offsets":[0,4]})"), 4, "unknown dtype 'F31'"},
      {one(R"({"dtype":"F32","data_offsets":[0,4]})"), 4, "no shape"},
      {one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})"), 4, "bad dimension"},
      {one(R"({"dtype":"F32","shape":[1.5],"data_offsets":[0,4]})"), 4, "bad dimension"},
      {one(R"({"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]})"), 4, "more than 8"},
      {one(R"({"dtype":"F32","shape":[1]})"), 4, "not a pair"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4,4]})"), 4, "not a pair"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[-4,0]})"), 4, "not a pair"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})"), 4, "outside"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), 3, "outside the file's 3 bytes"},
      {one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})"), 4, "shape [2] of F32 needs 8 bytes"},
      {one(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})"), 0, "too large"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"), 8, "follows a hole"},
      {one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), 8, "cover 4 of the file's 8"},
      {R"({"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"u":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
       6, "overlaps"},
      {R"({"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
       4, "'t' is there twice"},
      {R"({"__metadata__":1})", 0, "__metadata__"},
  };
  for (const auto& broken : cases) {
    const auto layout = parse_safetensors(safetensors_bytes(broken.header, broken.data));
    BOOST_REQUIRE_MESSAGE(!layout, broken.header);
    BOOST_TEST(layout.error().find(broken.says) != std::string::npos,
               broken.header << ": " << layout.error());
  }
}

// It goes into /status, which is JSON: cut between characters.
BOOST_AUTO_TEST_CASE(an_error_about_a_long_name_is_still_utf_8) {
  std::string name = "a";
  for (int i = 0; i < 300; ++i) name += "\u00e9";
  const auto broken =
      parse_safetensors_header("{\"" + name + R"(":{"dtype":"X","shape":[1],"data_offsets":[0,1]}})", 1);
  BOOST_REQUIRE(!broken);
  BOOST_TEST(qrerank::reranker::count_code_points(broken.error()).has_value());
  BOOST_TEST(broken.error().size() < 600U);
}

BOOST_AUTO_TEST_CASE(lengths_that_do_not_fit_are_refused) {
  BOOST_TEST(!parse_safetensors(""));
  BOOST_TEST(!parse_safetensors("1234567"));
  BOOST_TEST(!parse_safetensors(std::string(8, '\xff')));
  BOOST_TEST(!parse_safetensors(std::string("\x01\0\0\0\0\0\0\0", 8)));
  auto file = safetensors_bytes(kGood, 30);
  file[0] = static_cast<char>(file[0] + 1);
  BOOST_TEST(!parse_safetensors(file));
}

BOOST_AUTO_TEST_CASE(no_mutation_of_a_file_goes_out_of_bounds) {
  const auto good = safetensors_bytes(kGood, 30);
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    auto file = good;
    for (int i = 0; i < 1 + round % 3; ++i) file[random() % file.size()] = static_cast<char>(random());
    if (round % 5 == 0) file.resize(random() % file.size());
    const auto layout = parse_safetensors(file);
    if (!layout) continue;
    for (const auto& tensor : layout->tensors) {
      BOOST_REQUIRE(tensor.begin <= tensor.end);
      BOOST_REQUIRE(layout->data_offset + tensor.end <= file.size());
    }
  }
}

BOOST_AUTO_TEST_CASE(weights_weigh_what_their_dtype_says) {
  const TemporaryFolder folder;
  // A matrix of 2 x 4, a table of 8 x 4, a vector of 4, a head of 8 x 4, and positions that are not weights.
  folder.write("model.safetensors",
               safetensors_bytes(R"({"layer.weight":{"dtype":"BF16","shape":[2,4],"data_offsets":[0,16]},
"model.embed_tokens.weight":{"dtype":"BF16","shape":[8,4],"data_offsets":[16,80]},
"layer.bias":{"dtype":"BF16","shape":[4],"data_offsets":[80,88]},
"lm_head.weight":{"dtype":"BF16","shape":[8,4],"data_offsets":[88,152]},
"ids":{"dtype":"I64","shape":[2],"data_offsets":[152,168]}})",
                                 168));
  const auto checkpoint = Checkpoint::open(folder.path());
  BOOST_REQUIRE_MESSAGE(checkpoint.has_value(), (checkpoint ? std::string() : checkpoint.error()));
  BOOST_TEST(weight_bytes(*checkpoint, "float32") == (8U + 32U + 4U) * 4U);
  BOOST_TEST(weight_bytes(*checkpoint, "bfloat16") == (8U + 32U) * 2U + 4U * 4U);
  BOOST_TEST(weight_bytes(*checkpoint, "float16") == (8U + 32U) * 2U + 4U * 4U);
  BOOST_TEST(weight_bytes(*checkpoint, "int8") == 8U + 32U + (2U + 8U) * 4U + 4U * 4U);
}

BOOST_AUTO_TEST_CASE(a_folder_is_one_file_or_an_index) {
  const TemporaryFolder folder;
  const auto missing = Checkpoint::open(folder.path());
  BOOST_REQUIRE(!missing);
  BOOST_TEST(missing.error().find("model.safetensors") != std::string::npos);

  folder.write("model.safetensors", safetensors_bytes(kGood, 30));
  const auto single = Checkpoint::open(folder.path());
  BOOST_REQUIRE_MESSAGE(single.has_value(), (single ? std::string() : single.error()));
  BOOST_TEST(single->total_bytes() == 30U);
  BOOST_REQUIRE(single->find("b") != nullptr);
  BOOST_TEST(single->find("b")->bytes.size() == 6U);
  BOOST_TEST(single->find("c") == nullptr);

  folder.write("x.safetensors",
               safetensors_bytes(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1));
  const std::string index = "model.safetensors.index.json";
  folder.write(index, R"({"weight_map":{"a":"a.safetensors","x":"x.safetensors"}})");
  const auto both = Checkpoint::open(folder.path());
  BOOST_REQUIRE_MESSAGE(both.has_value(), (both ? std::string() : both.error()));
  BOOST_TEST(both->total_bytes() == 30U, "the one file counts, as it does for transformers");
  std::filesystem::rename(folder.path() / "model.safetensors", folder.path() / "a.safetensors");
  const auto several = Checkpoint::open(folder.path());
  BOOST_REQUIRE_MESSAGE(several.has_value(), (several ? std::string() : several.error()));
  BOOST_TEST(several->total_bytes() == 31U);
  BOOST_TEST(several->fingerprint() != single->fingerprint());

  // What else decides over the scores.
  for (const auto* name : {"config.json", "tokenizer.json", "tokenizer_config.json"}) {
    const auto before = Checkpoint::open(folder.path())->fingerprint();
    folder.write(name, "{}");
    const auto after = Checkpoint::open(folder.path())->fingerprint();
    BOOST_TEST(after != before, name);
    folder.write(name, "{ }");
    BOOST_TEST(Checkpoint::open(folder.path())->fingerprint() != after, name);
  }

  const std::pair<std::string, std::string> cases[] = {
      {"", "no weight_map"},
      {R"({"weight_map":{}})", "empty"},
      {R"({"weight_map":{"a":1}})", "not a file"},
      {R"({"weight_map":{"a":"../model.safetensors"}})", "outside its folder"},
      {R"({"weight_map":{"a":".."}})", "outside its folder"},
      {R"({"weight_map":{"a":"other.safetensors"}})", "other.safetensors: No such file"},
      {R"({"weight_map":{"z":"x.safetensors"}})", "tensor 'z' is missing"},
      {R"({"weight_map":{"a":"x.safetensors","x":"x.safetensors"}})", "tensor 'a' is missing"},
  };
  for (const auto& [text, says] : cases) {
    folder.write(index, text);
    const auto broken = Checkpoint::open(folder.path());
    BOOST_REQUIRE_MESSAGE(!broken, text);
    BOOST_TEST(broken.error().find(says) != std::string::npos, text << ": " << broken.error());
  }
  folder.write("y.safetensors",
               safetensors_bytes(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1));
  folder.write(index, R"({"weight_map":{"x":"x.safetensors","y":"y.safetensors"}})");
  const auto twice = Checkpoint::open(folder.path());
  BOOST_REQUIRE(!twice);
  BOOST_TEST(twice.error().find("is also in") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_not_a_file_is_an_error) {
  const TemporaryFolder folder;
  BOOST_TEST(!MappedFile::open(folder.path()));
  folder.write("empty", "");
  const auto empty = MappedFile::open(folder.path() / "empty");
  BOOST_REQUIRE(empty.has_value());
  BOOST_TEST((*empty)->bytes().empty());
}

BOOST_AUTO_TEST_SUITE_END()
