// One model on one set of texts, timed on request: rerank_speed.py starts one of these per dtype and asks
// them in turn with the other engines. Prints "ready TOKENS", then per line read from stdin the seconds one
// rerank took (tokenizing and scoring, end to end); on "scheduled" the same by way of the scheduler, in
// batches of about a second as the program makes them; on "scores" the logits.
#include <simdjson.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "reranker/model/model.hpp"
#include "reranker/scheduler/scheduler.hpp"

namespace scheduler = qrerank::reranker::scheduler;
using namespace qrerank::reranker::model;

namespace {

std::vector<double> rerank(Model& model, const std::string& query, const std::vector<std::string>& texts,
                           std::size_t& tokens) {
  const auto encoded = model.encode("", query, texts);
  std::vector<BatchItem> items;
  tokens = 0;
  for (const auto& sequence : encoded.texts) {
    items.push_back({.prefix = nullptr, .body = &sequence});
    tokens += sequence.ids.size();
  }
  return model.logits(items);
}

// Throws where the scheduler has no answer.
void rerank_scheduled(Model& model, scheduler::Scheduler& queue, const std::string& query,
                      const std::vector<std::string>& texts) {
  std::promise<bool> answered;
  const auto ticket =
      queue.submit(model.encode("", query, texts), qrerank::reranker::Clock::time_point::max(),
                   [&](auto scored) { answered.set_value(scored.has_value()); });
  if (!answered.get_future().get()) throw std::runtime_error("the scheduler has no scores");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s MODEL_FOLDER DTYPE THREADS TEXTS.json\n", argv[0]);
    return 2;
  }
  ModelSpec spec;
  spec.name = "bench";
  spec.path = argv[1];
  spec.dtype = argv[2];
  spec.threads = std::atoi(argv[3]);
  spec.device = "cpu";
  auto model = load_model(spec);
  if (!model) {
    std::fprintf(stderr, "%s\n", model.error().message.c_str());
    return 1;
  }
  simdjson::dom::parser parser;
  const simdjson::dom::element input = parser.load(argv[4]);
  const std::string query(input["query"].get_string().value());
  std::vector<std::string> texts;
  for (const auto text : input["texts"].get_array()) texts.emplace_back(text.get_string().value());

  scheduler::DeadlineTimer timer;
  qrerank::reranker::Observer nobody;
  scheduler::Scheduler queue("bench", {model->get()},
                             {.token_budget = 8192, .batch_time = std::chrono::seconds(1)}, timer, nobody);
  std::size_t tokens = 0;
  (void)rerank(**model, query, texts, tokens);
  std::printf("ready %zu\n", tokens);
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<double> logits;
    if (line == "scheduled") {
      rerank_scheduled(**model, queue, query, texts);
    } else {
      logits = rerank(**model, query, texts, tokens);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    if (line == "scores") {
      for (const double logit : logits) std::printf("%.9g ", logit);
      std::printf("\n");
    } else {
      std::printf("%.6f\n", took.count());
    }
    std::fflush(stdout);
  }
  return 0;
}
