#include "proxy/cli/rerank.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <optional>
#include <ostream>
#include <span>
#include <utility>
#include <vector>

#include "proxy/cli/asking.hpp"
#include "proxy/observe/json_text.hpp"
#include "reranker/utf8.hpp"

namespace qrerank::proxy::cli {
namespace {

constexpr std::size_t kMaxInput = 256u << 20;
constexpr std::size_t kMaxTextsAtOnce = 512;  // under any sensible scoring.max_queued_texts

struct Line {
  std::size_t number = 0;  // from 1
  std::string text;
  double logit = 0;
};

// Nothing when there is too much.
std::optional<std::vector<Line>> read_lines(std::istream& in) {
  std::vector<Line> lines;
  std::string line;
  std::size_t bytes = 0;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    bytes += line.size();
    if (bytes > kMaxInput) return std::nullopt;
    if (line.ends_with('\r')) line.pop_back();
    if (!reranker::is_blank(line)) lines.push_back({number, std::move(line), 0});
  }
  return lines;
}

std::string printed(const Line& line, bool as_json) {
  const double probability = reranker::sigmoid(line.logit);
  if (!as_json) return fmt::format("{:.6f}\t{}\n", probability, line.text);
  return fmt::format("{{\"line\":{},\"score\":{},\"logit\":{},\"text\":{}}}\n", line.number, probability,
                     line.logit, observe::json_string(line.text));
}

}  // namespace

ExitCode rerank(const RerankCommand& command, const config::Config& config, reranker::Scorer& scorer,
                std::istream& in, std::ostream& out, std::ostream& problems) {
  const auto ended = [&](ExitCode code, std::string_view why) {
    problems << "qrerank rerank: " << why << "\n";
    return code;
  };
  const auto& model = command.model.empty() ? config.rerank.default_model : command.model;
  if (const auto problem = model_problem(scorer, model); !problem.empty()) return ended(kBadUsage, problem);
  if (!reranker::count_code_points(command.query)) return ended(kBadUsage, "the query is not valid UTF-8");
  if (reranker::is_blank(command.query)) return ended(kBadUsage, "the query is blank");
  auto lines = read_lines(in);
  if (!lines) return ended(kFailed, "standard input is larger than 256 MiB");

  const std::size_t at_once = std::clamp<std::size_t>(config.scoring.max_queued_texts, 1, kMaxTextsAtOnce);
  for (std::size_t begin = 0; begin < lines->size(); begin += at_once) {
    const auto part = std::span(*lines).subspan(begin, std::min(at_once, lines->size() - begin));
    reranker::ScoreRequest request{
        .model = model,
        .instruction = std::string(config::instruction_text(config, command.instruction)),
        .query = command.query,
        .texts = {}};
    for (const auto& line : part)
      request.texts.push_back(reranker::first_code_points(line.text, config.scoring.max_text_chars));
    const auto scored = score(scorer, std::move(request));
    if (!scored) return ended(kFailed, told(model, scored.error()));
    for (std::size_t at = 0; at < part.size(); ++at) part[at].logit = scored->logits[at];
  }
  std::ranges::sort(*lines, [](const Line& one, const Line& other) {
    return one.logit != other.logit ? one.logit > other.logit : one.number < other.number;
  });
  for (const auto& line : *lines) out << printed(line, command.json);
  out.flush();
  return out ? kOk : ended(kFailed, "standard output cannot be written");
}

}  // namespace qrerank::proxy::cli
