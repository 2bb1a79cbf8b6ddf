#include "proxy/rewrite/response.hpp"

#include <algorithm>

#include "proxy/rewrite/candidates_slices.hpp"

namespace qrerank::proxy::rewrite {

using namespace slices;  // NOLINT: the room's own words

namespace {

bool has_ours(std::span<const Member> members) {
  return std::any_of(members.begin(), members.end(),
                     [](const Member& m) { return m.kind == Member::Kind::ours; });
}

/// Room for a point's new members.
constexpr std::size_t kPointExtra = 128;

std::size_t expected_size(const ResultPart& part) {
  if (!part.as_it_is.empty()) {
    return part.as_it_is.size();
  }
  std::size_t size = part.set->head.size() + part.set->tail.size();
  for (const Ranked& ranked : part.page->hits) {
    size += part.set->candidates.at(ranked.hit).point.size() + kPointExtra;
  }
  for (const PageGroup& group : part.page->groups) {
    size += part.set->groups.at(group.group).head.size() + part.set->groups.at(group.group).tail.size();
  }
  return size;
}

/// Prints results behind what `out` holds.
class ResultPrinter {
 public:
  explicit ResultPrinter(std::string& out) : out_(out) {}

  void print(const ResultPart& part) {
    if (!part.as_it_is.empty()) {
      out_.append(part.as_it_is);
      return;
    }
    out_.append(part.set->head);
    PointWriter writer(*part.set, *part.projection, part.reread, part.mode);
    if (part.set->layout == HitLayout::groups) {
      groups(writer, part);
    } else {
      points(writer, part.page->hits);
    }
    out_.append(part.set->tail);
  }

 private:
  /// Points with commas between them. False: every one of them is gone, or there was none.
  bool points(PointWriter& writer, std::span<const Ranked> hits) {
    bool first = true;
    for (const Ranked& ranked : hits) {
      if (!first) {
        out_.push_back(',');
      }
      if (writer.append(out_, ranked)) {
        first = false;
      } else if (!first) {
        out_.pop_back();
      }
    }
    return !first;
  }

  void groups(PointWriter& writer, const ResultPart& part) {
    std::span<const Ranked> hits = part.page->hits;
    bool first = true;
    for (const PageGroup& placed : part.page->groups) {
      const Group& group = part.set->groups.at(placed.group);
      const std::size_t before = out_.size();
      if (!first) {
        out_.push_back(',');
      }
      out_.append(group.head);
      if (points(writer, hits.subspan(0, placed.hits))) {
        out_.append(group.tail);
        first = false;
      } else {
        out_.resize(before);
      }
      hits = hits.subspan(placed.hits);
    }
  }

  std::string& out_;
};

void append_result(std::string& out, const Answer& answer, std::span<const ResultPart> parts) {
  ResultPrinter printer(out);
  if (!answer.batch) {
    printer.print(parts.front());
    return;
  }
  out.push_back('[');
  for (const ResultPart& part : parts) {
    if (&part != parts.data()) {
      out.push_back(',');
    }
    printer.print(part);
  }
  out.push_back(']');
}

}  // namespace

std::string compose(const Answer& answer, std::span<const ResultPart> parts, const Report& report) {
  const std::string report_text = report_members(report);
  std::size_t expected = answer.head.size() + answer.tail.size() + report_text.size() + 4;
  for (const ResultPart& part : parts) {
    expected += expected_size(part) + 1;
  }
  std::string out;
  out.reserve(expected);
  if (!has_ours(answer.members)) {
    out.append(answer.head);
    append_result(out, answer, parts);
    out.append(answer.tail).push_back(',');
  } else {
    out.push_back('{');
    for (const Member& member : answer.members) {
      if (member.kind == Member::Kind::ours) {
        continue;
      }
      out.append(member.key).push_back(':');
      if (member.kind == Member::Kind::result) {
        append_result(out, answer, parts);
      } else {
        out.append(member.value);
      }
      out.push_back(',');
    }
  }
  out.append(report_text).push_back('}');
  return out;
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
