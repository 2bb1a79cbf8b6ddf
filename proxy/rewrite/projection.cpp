#include "proxy/rewrite/projection.hpp"

#include <algorithm>
#include <stdexcept>

#include "proxy/rewrite/candidates_slices.hpp"

namespace qrerank::proxy::rewrite {

using namespace slices;  // NOLINT: the room's own words

namespace {

/// Appends `"key":value` behind the comma that its place asks for.
void append_member(std::string& out, std::string_view key, std::string_view value) {
  if (out.back() != '{') {
    out.push_back(',');
  }
  out.append(key).push_back(':');
  out.append(value);
}

constexpr std::string_view kScore = R"("score")";
constexpr std::string_view kVectorScore = R"("vector_score")";
constexpr std::string_view kRerankScore = R"("rerank_score")";
constexpr std::string_view kPayload = R"("payload")";
constexpr std::string_view kVector = R"("vector")";

Done read_record(ondemand::value& value, std::unordered_map<std::string_view, RereadPoint>& points) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return fail("a record is no object");
  }
  std::string_view id;
  RereadPoint point;
  Done walked = for_members(object, [&](std::string_view key, ondemand::value& member) -> Done {
    const auto slice = slice_of(member);
    if (!slice) {
      return fail(slice.error());
    }
    if (key == R"("id")") {
      id = *slice;
    } else if (key == kPayload) {
      point.payload = *slice;
    } else if (key == kVector) {
      point.vector = *slice;
    }
    return {};
  });
  if (!walked) {
    return walked;
  }
  if (!is_string(id) && !is_number(id)) {
    return fail("a record has no `id`");
  }
  points.insert_or_assign(id, point);
  return {};
}

Done read_records(const std::string& body, std::unordered_map<std::string_view, RereadPoint>& points) {
  ondemand::parser parser;
  ondemand::document document;
  bool found = false;
  Done walked =
      for_root_members(body, parser, document, [&](std::string_view key, ondemand::value& value) -> Done {
        if (key != R"("result")") {
          return {};
        }
        ondemand::array array;
        if (found || value.get_array().get(array) != simdjson::SUCCESS) {
          return fail("`result` is no array, or there are two");
        }
        found = true;
        return for_elements(array, [&](ondemand::value& record) { return read_record(record, points); });
      });
  if (!walked) {
    return walked;
  }
  return found ? Done() : fail("the answer has no `result`");
}

}  // namespace

const RereadPoint* Reread::find(std::string_view id) const {
  const auto found = points.find(id);
  return found == points.end() ? nullptr : &found->second;
}

std::vector<std::string_view> page_ids(const CandidateSet& set, std::span<const Ranked> page) {
  std::vector<std::string_view> ids;
  ids.reserve(page.size());
  std::vector<bool> seen(set.candidates.size());
  for (const Ranked& ranked : page) {
    const std::size_t first = set.candidates.at(ranked.hit).first;
    if (!seen[first]) {
      seen[first] = true;
      ids.push_back(set.candidates[first].id);
    }
  }
  return ids;
}

std::string reread_body(const Projection& projection, std::span<const std::string_view> ids) {
  std::string body = R"({"ids":[)";
  for (const std::string_view id : ids) {
    body.append(id).push_back(',');
  }
  if (!ids.empty()) {
    body.pop_back();
  }
  // Absent, the selectors would mean "payload, no vectors" here: both are always said.
  const bool payload = projection.payload == Projection::Payload::reread;
  body.append(R"(],"with_payload":)").append(payload ? std::string_view(projection.with_payload) : "false");
  body.append(R"(,"with_vector":)")
      .append(projection.vectors ? std::string_view(projection.with_vector) : "false");
  if (!projection.shard_key.empty()) {
    body.append(R"(,"shard_key":)").append(projection.shard_key);
  }
  body.push_back('}');
  return body;
}

tl::expected<Reread, std::string> parse_reread(std::string body) {
  pad(body);
  Reread reread;
  reread.body = std::make_unique<const std::string>(std::move(body));
  if (Done done = read_records(*reread.body, reread.points); !done) {
    return tl::unexpected(std::move(done.error()));
  }
  return reread;
}

struct PointWriter::Parser {
  ondemand::parser parser;
  std::string key;

  /// Appends the payload's members that are (keep) or are not (drop) among `members`. False: it does not
  /// parse.
  bool append_projected(std::string& out, std::string_view payload, const char* end, bool keep,
                        std::span<const std::string> members) {
    const std::size_t before = out.size();
    ondemand::document document;
    ondemand::object object;
    if (parser.iterate(padded_slice(payload, end)).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
      return false;
    }
    out.push_back('{');
    const Done walked = for_members(object, [&](std::string_view token, ondemand::value& value) -> Done {
      std::string_view name = unquoted(token);
      if (name.find('\\') != std::string_view::npos) {
        key.clear();
        append_unescaped(key, name);
        name = key;
      }
      if (std::binary_search(members.begin(), members.end(), name) != keep) {
        return {};
      }
      const auto slice = slice_of(value);
      if (!slice) {
        return fail(slice.error());
      }
      append_member(out, token, *slice);
      return {};
    });
    out.push_back('}');
    if (!walked) {
      out.resize(before);
    }
    return walked.has_value();
  }
};

PointWriter::PointWriter(const CandidateSet& set, const Projection& projection, const Reread* reread,
                         ScoreMode mode)
    : set_(set), projection_(projection), reread_(reread), mode_(mode), parser_(std::make_unique<Parser>()) {}

PointWriter::~PointWriter() = default;

void PointWriter::scores(std::string& out, const Candidate& candidate, const Ranked& ranked) const {
  const std::string_view own = candidate.score;
  const std::string_view score = ranked.score.empty() || mode_ == ScoreMode::own ? own : ranked.score.view();
  if (!score.empty()) {
    append_member(out, kScore, score);
  }
  if (mode_ == ScoreMode::own) {
    return;
  }
  if (!own.empty()) {
    append_member(out, kVectorScore, own);
  }
  if (!ranked.rerank_score.empty()) {
    append_member(out, kRerankScore, ranked.rerank_score.view());
  }
}

void PointWriter::payload(std::string& out, const Member* own, const RereadPoint* record) {
  using Payload = Projection::Payload;
  if (projection_.payload == Payload::reread) {
    if (!record->payload.empty()) {
      append_member(out, kPayload, record->payload);
    }
    return;
  }
  if (own == nullptr || projection_.payload == Payload::none) {
    return;
  }
  if (projection_.payload == Payload::whole || own->value.front() != '{') {
    append_member(out, own->key, own->value);
    return;
  }
  append_member(out, own->key, {});
  if (!parser_->append_projected(out, own->value, set_.readable_end, projection_.payload == Payload::keep,
                                 projection_.members)) {
    // Taken apart once already; only a payload that is malformed inside gets here, and goes out as it came.
    out.append(own->value);
  }
}

bool PointWriter::append(std::string& out, const Ranked& ranked) {
  const Candidate& candidate = set_.candidates.at(ranked.hit);
  const RereadPoint* record = nullptr;
  if (projection_.needs_reread()) {
    if (reread_ == nullptr) {
      throw std::logic_error("this projection needs the points read once more");
    }
    record = reread_->find(candidate.id);
    if (record == nullptr) {
      return false;
    }
  } else if (mode_ == ScoreMode::own && projection_.payload == Projection::Payload::whole) {
    out.append(candidate.point);
    return true;
  }

  const std::span<const Member> members = set_.members_of(candidate);
  const auto of_kind = [&](Member::Kind kind) {
    const auto found =
        std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.kind == kind; });
    return found == members.end() ? nullptr : &*found;
  };
  const Member* const own_payload = of_kind(Member::Kind::payload);
  const bool has_score = of_kind(Member::Kind::score) != nullptr;

  const auto payload_and_vector = [&] {
    payload(out, own_payload, record);
    if (projection_.vectors && !record->vector.empty()) {
      append_member(out, kVector, record->vector);
    }
  };
  const auto scores_and_what_follows = [&] {
    scores(out, candidate, ranked);
    if (own_payload == nullptr) {
      payload_and_vector();
    }
  };

  out.push_back('{');
  for (const Member& member : members) {
    switch (member.kind) {
      case Member::Kind::score:
        scores_and_what_follows();
        break;
      case Member::Kind::payload:
        payload_and_vector();
        break;
      case Member::Kind::ours:
        if (mode_ == ScoreMode::own) {
          append_member(out, member.key, member.value);
        }
        break;
      case Member::Kind::vector:
        if (!projection_.vectors) {
          append_member(out, member.key, member.value);
        }
        break;
      default:
        append_member(out, member.key, member.value);
        if (member.kind == Member::Kind::id && !has_score) {
          scores_and_what_follows();
        }
    }
  }
  out.push_back('}');
  return true;
}

}  // namespace qrerank::proxy::rewrite
