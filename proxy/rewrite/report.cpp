#include "proxy/rewrite/report.hpp"

#include <fmt/format.h>

#include "proxy/rewrite/order.hpp"

namespace qrerank::proxy::rewrite {
namespace {

double milliseconds(reranker::Microseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

reranker::Microseconds sum(const reranker::Timings& timings) {
  return timings.tokenize + timings.queue + timings.compute;
}

/// A JSON string's text between the quotes.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

/// Visible ASCII and the space as they are, all else percent-encoded, the percent sign too.
std::string header_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7f && c != '%') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

}  // namespace

double Report::reranking_ms() const {
  if (wall) {
    return milliseconds(*wall);
  }
  return spent ? milliseconds(sum(spent->scoring)) : 0.0;
}

Report batch_report(std::vector<Report> searches, reranker::Microseconds upstream,
                    reranker::Microseconds wall) {
  Report all;
  all.spent = Spent{.upstream = upstream, .inference = std::nullopt, .scoring = {}};
  all.wall = wall;
  const Report* first_used = nullptr;
  for (const Report& search : searches) {
    if (search.used) {
      first_used = first_used != nullptr ? first_used : &search;
      all.candidates += search.candidates;
    }
    all.reason = all.reason.empty() ? search.reason : all.reason;
    all.model = all.model.empty() ? search.model : all.model;
    if (search.spent && sum(search.spent->scoring) > sum(all.spent->scoring)) {
      all.spent->scoring = search.spent->scoring;
    }
  }
  if (first_used != nullptr) {
    all.used = true;
    all.model = first_used->model;
    all.reason.clear();
  }
  all.searches = std::move(searches);
  return all;
}

std::string report_members(const Report& report) {
  std::string out = fmt::format(R"("reranking_used":{})", report.used);
  if (!report.model.empty()) {
    out += fmt::format(R"(,"reranker_model":"{}")", escaped(report.model));
  }
  if (report.used) {
    out += fmt::format(R"(,"reranking_time_ms":{},"reranking_candidates":{})",
                       ScoreText(report.reranking_ms()).view(), report.candidates);
  } else if (!report.reason.empty()) {
    out += fmt::format(R"(,"reranking_reason":"{}")", escaped(report.reason));
  }
  if (report.searches) {
    out += R"(,"reranking":[)";
    for (const Report& search : *report.searches) {
      out += (out.back() == '[' ? "{" : ",{") + report_members(search) + "}";
    }
    out += "]";
  }
  return out;
}

std::vector<http::Field> report_headers(const Report& report) {
  std::vector<http::Field> headers;
  headers.push_back({"X-Reranking-Used", report.used ? "true" : "false"});
  if (!report.used && !report.reason.empty()) {
    headers.push_back({"X-Reranking-Reason", header_value(report.reason)});
  }
  if (!report.model.empty()) {
    headers.push_back({"X-Reranker-Model", header_value(report.model)});
  }
  if (report.used) {
    headers.push_back({"X-Reranking-Time-Ms", std::string(ScoreText(report.reranking_ms()).view())});
    headers.push_back({"X-Reranking-Candidates", std::to_string(report.candidates)});
  }
  if (report.spent) {
    const Spent& spent = *report.spent;
    std::string timing =
        fmt::format("upstream;dur={:.3f}, tokenize;dur={:.3f}, queue;dur={:.3f}, compute;dur={:.3f}",
                    milliseconds(spent.upstream), milliseconds(spent.scoring.tokenize),
                    milliseconds(spent.scoring.queue), milliseconds(spent.scoring.compute));
    if (spent.inference) timing += fmt::format(", inference;dur={:.3f}", milliseconds(*spent.inference));
    headers.push_back({"Server-Timing", std::move(timing)});
  }
  return headers;
}

}  // namespace qrerank::proxy::rewrite
