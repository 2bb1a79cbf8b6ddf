#include "proxy/rewrite/response.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "proxy/rewrite/candidates_slices.hpp"

namespace qrerank::proxy::rewrite {

using namespace slices;  // NOLINT: the room's own words

namespace {

double milliseconds(reranker::Microseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
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

bool has_ours(std::span<const Member> members) {
  return std::any_of(members.begin(), members.end(),
                     [](const Member& m) { return m.kind == Member::Kind::ours; });
}

/// Room for a point's new members, and for ours at the top.
constexpr std::size_t kPointExtra = 128;
constexpr std::size_t kReportExtra = 512;

std::string print(const CandidateSet& set, std::span<const Ranked> page, const Projection& projection,
                  const Reread* reread, ScoreMode mode, const Report& report) {
  const Envelope& envelope = set.envelope;
  std::string out;
  std::size_t expected = envelope.head.size() + envelope.tail.size() + kReportExtra;
  for (const Ranked& ranked : page) {
    expected += set.candidates.at(ranked.hit).point.size() + kPointExtra;
  }
  out.reserve(expected);

  PointWriter writer(set, projection, reread, mode);
  const auto points = [&] {
    bool first = true;
    for (const Ranked& ranked : page) {
      if (!first) {
        out.push_back(',');
      }
      if (writer.append(out, ranked)) {
        first = false;
      } else if (!first) {
        out.pop_back();
      }
    }
  };
  if (!has_ours(envelope.members)) {
    out.append(envelope.head);
    points();
    out.append(envelope.tail).push_back(',');
  } else {
    out.push_back('{');
    for (const Member& member : envelope.members) {
      if (member.kind == Member::Kind::ours) {
        continue;
      }
      out.append(member.key).push_back(':');
      if (member.kind == Member::Kind::result) {
        out.append(envelope.result_head);
        points();
        out.append(envelope.result_tail);
      } else {
        out.append(member.value);
      }
      out.push_back(',');
    }
  }
  out.append(report_members(report)).push_back('}');
  return out;
}

}  // namespace

double Report::reranking_ms() const {
  return spent ? milliseconds(spent->scoring.tokenize + spent->scoring.queue + spent->scoring.compute) : 0.0;
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
  return out;
}

std::vector<std::pair<std::string_view, std::string>> report_headers(const Report& report) {
  std::vector<std::pair<std::string_view, std::string>> headers;
  headers.emplace_back("X-Reranking-Used", report.used ? "true" : "false");
  if (!report.used && !report.reason.empty()) {
    headers.emplace_back("X-Reranking-Reason", header_value(report.reason));
  }
  if (!report.model.empty()) {
    headers.emplace_back("X-Reranker-Model", header_value(report.model));
  }
  if (report.used) {
    headers.emplace_back("X-Reranking-Time-Ms", std::string(ScoreText(report.reranking_ms()).view()));
    headers.emplace_back("X-Reranking-Candidates", std::to_string(report.candidates));
  }
  if (report.spent) {
    const Spent& spent = *report.spent;
    headers.emplace_back(
        "Server-Timing",
        fmt::format("upstream;dur={:.3f}, tokenize;dur={:.3f}, queue;dur={:.3f}, compute;dur={:.3f}",
                    milliseconds(spent.upstream), milliseconds(spent.scoring.tokenize),
                    milliseconds(spent.scoring.queue), milliseconds(spent.scoring.compute)));
  }
  return headers;
}

std::string compose(const CandidateSet& set, std::span<const Ranked> page, const Projection& projection,
                    const Reread* reread, const Report& report) {
  return print(set, page, projection, reread, ScoreMode::reranked, report);
}

std::string compose_fallback(const CandidateSet& set, std::span<const Ranked> page,
                             const Projection& projection, const Reread* reread, const Report& report) {
  return print(set, page, projection, reread, ScoreMode::own, report);
}

tl::expected<std::string, std::string> annotate(std::string body, const Report& report) {
  pad(body);
  ondemand::parser parser;
  ondemand::document document;
  std::vector<Member> members;
  Done walked =
      for_root_members(body, parser, document, [&](std::string_view key, ondemand::value& value) -> Done {
        const auto slice = slice_of(value);
        if (!slice) {
          return fail(slice.error());
        }
        members.push_back(
            {.kind = is_ours(key) ? Member::Kind::ours : Member::Kind::other, .key = key, .value = *slice});
        return {};
      });
  if (!walked) {
    return tl::unexpected(std::move(walked.error()));
  }
  const std::string report_text = report_members(report);
  if (!has_ours(members)) {
    body.resize(trimmed_end(body).size() - 1);
    if (!members.empty()) {
      body.push_back(',');
    }
    body.append(report_text).push_back('}');
    return body;
  }
  std::string out = "{";
  for (const Member& member : members) {
    if (member.kind != Member::Kind::ours) {
      out.append(member.key).append(":").append(member.value).append(",");
    }
  }
  return out.append(report_text).append("}");
}

}  // namespace qrerank::proxy::rewrite
