// A Qwen3 checkpoint measured from inside: qwen3_bench.py calls it and makes the tables.
//   MODE FOLDER DTYPE THREADS TEXTS.json DEVICE
//   speed: seconds of one request, and with sharing, packing and the head's two rows switched off, in turn
//   request: of one request alone
//   memory: VmHWM before loading, after it and after scoring, and the weights' bytes
//   tokenizer: what the loaded tokenizer alone takes
//   scores: the logits (any family)
//
// The switches are here, not in the product: other items and other calls of the same layers.
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <malloc.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "reranker/model/model.hpp"
#include "reranker/tokenizer/tokenizer.hpp"

using namespace qrerank::reranker::model;

namespace {

struct Request {
  std::string query;
  std::vector<std::string> texts;
};

Request read_request(const char* file) {
  simdjson::dom::parser parser;
  const simdjson::dom::element input = parser.load(file);
  Request request{.query = std::string(input["query"].get_string().value()), .texts = {}};
  for (const auto text : input["texts"].get_array()) request.texts.emplace_back(text.get_string().value());
  return request;
}

double seconds(const std::function<void()>& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// A line of /proc/self/status ("VmHWM:", "VmRSS:"), in bytes.
std::size_t memory(std::string_view line_name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(line_name)) return std::stoull(line.substr(line_name.size())) * 1024;
  }
  return 0;
}

std::size_t peak_memory() {
  return memory("VmHWM:");
}

int show_tokenizer(const std::string& folder) {
  const auto before = memory("VmRSS:");
  const auto tokenizer = qrerank::reranker::tokenizer::Tokenizer::load(folder + "/tokenizer.json");
  ::malloc_trim(0);
  if (!tokenizer) {
    std::fprintf(stderr, "%s\n", tokenizer.error().c_str());
    return 1;
  }
  std::printf("tokenizer %zu\npeak %zu\n", memory("VmRSS:") - before, peak_memory() - before);
  return 0;
}

std::vector<BatchItem> items_of(const EncodedTexts& encoded) {
  std::vector<BatchItem> items;
  for (const auto& text : encoded.texts) items.push_back({.prefix = encoded.prefix.get(), .body = &text});
  return items;
}

std::vector<double> rerank(Model& model, const Request& request) {
  model.release_cached_memory();  // the prefix, too, belongs to the request
  const auto encoded = model.encode("", request.query, request.texts);
  return model.logits(items_of(encoded));
}

/// Every sequence whole: the prefix computed with each text.
double without_sharing(Model& model, const EncodedTexts& encoded) {
  std::vector<Sequence> whole;
  for (const auto& text : encoded.texts) {
    whole.push_back(*encoded.prefix);
    whole.back().ids.insert(whole.back().ids.end(), text.ids.begin(), text.ids.end());
  }
  std::vector<BatchItem> items;
  for (const auto& sequence : whole) items.push_back({.prefix = nullptr, .body = &sequence});
  return seconds([&] { (void)model.logits(items); });
}

/// Every text as long as the longest (the scores mean nothing then, the work is that of padding).
double without_packing(Model& model, const EncodedTexts& encoded) {
  model.release_cached_memory();
  std::size_t longest = 0;
  for (const auto& text : encoded.texts) longest = std::max(longest, text.ids.size());
  auto padded = encoded;
  for (auto& text : padded.texts) text.ids.resize(longest, text.ids.back());
  return seconds([&] { (void)model.logits(items_of(padded)); });
}

/// What the whole vocabulary's logits at every position would cost on top.
double whole_head(std::size_t tokens, std::int64_t hidden, std::int64_t vocabulary, int threads) {
  const c10::InferenceMode inference;
  at::set_num_threads(threads);
  const auto table = at::randn({vocabulary, hidden});
  const auto states = at::randn({512, hidden});
  return seconds([&] {
    for (std::size_t done = 0; done < tokens; done += 512) {
      const auto rows = static_cast<std::int64_t>(std::min<std::size_t>(512, tokens - done));
      (void)at::linear(states.narrow(0, 0, rows), table);
    }
  });
}

void speed(Model& model, const Request& request, int threads) {
  const auto encoded = model.encode("", request.query, request.texts);
  std::size_t tokens = encoded.prefix->ids.size();
  for (const auto& text : encoded.texts) tokens += text.ids.size();
  const Request warm{.query = "warm up", .texts = {"a text"}};
  (void)rerank(model, warm);
  std::printf("tokens %zu\nprefix %zu\n", tokens, encoded.prefix->ids.size());
  const auto show = [](const char* name, double took) {
    std::printf("%s %.3f\n", name, took);
    std::fflush(stdout);
  };
  const double all = seconds([&] { (void)rerank(model, request); });
  show("all", all);
  show("no_sharing", without_sharing(model, encoded));
  show("no_packing", without_packing(model, encoded));
  show("whole_head", all + whole_head(tokens, 1024, 151'669, threads));
}

/// A small model loaded and used once: what the libraries themselves take is not the measured model's.
void warm_up(const std::string& dtype) {
  ModelSpec spec;
  spec.name = "warm up";
  spec.path = QRERANK_SOURCE_DIR "/tests/golden/small/qwen3-tied";
  spec.dtype = dtype;
  spec.device = "cpu";
  const auto model = load_model(spec);
  if (model) (void)rerank(**model, {.query = "a question", .texts = {"a text", "another text"}});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr,
                 "usage: %s speed|request|memory|tokenizer|scores FOLDER DTYPE THREADS TEXTS.json DEVICE\n",
                 argv[0]);
    return 2;
  }
  const std::string mode = argv[1];
  const auto request = read_request(argv[5]);
  ModelSpec spec;
  spec.name = "bench";
  spec.path = argv[2];
  spec.dtype = argv[3];
  spec.threads = std::atoi(argv[4]);
  spec.device = argv[6];
  if (spec.device == "cpu") (void)at::empty({1});  // what the library itself takes
  if (mode == "tokenizer") return show_tokenizer(spec.path);
  if (mode == "memory") warm_up(spec.dtype);
  const auto before = peak_memory();
  const auto model = load_model(spec);
  if (!model) {
    std::fprintf(stderr, "%s\n", model.error().message.c_str());
    return 1;
  }
  const auto loaded = peak_memory();
  if (mode == "speed") {
    speed(**model, request, spec.threads);
  } else if (mode == "request") {
    (void)rerank(**model, {.query = "warm up", .texts = {"a text"}});
    std::printf("all %.3f\n", seconds([&] { (void)rerank(**model, request); }));
  } else {
    const auto logits = rerank(**model, request);
    if (mode == "scores") {
      for (const double logit : logits) std::printf("%.17g\n", logit);
    } else {
      std::printf("weights %zu\nbefore %zu\nloaded %zu\nscored %zu\n", (*model)->info().weight_bytes, before,
                  loaded, peak_memory());
    }
  }
  return 0;
}
