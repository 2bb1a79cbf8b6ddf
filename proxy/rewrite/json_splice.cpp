#include "proxy/rewrite/json_splice.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

namespace qrerank::proxy::rewrite {
namespace {

// Bytes that give way to others.
struct Cut {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

// What happens to the members of one object.
struct Membership {
  std::vector<JsonValue> removed;
  std::string inserted;  // `"k":v`, several with commas between them
};

void append_member_cuts(std::vector<Cut>& cuts, const JsonValue& object, const Membership& change) {
  std::optional<JsonValue> previous;
  bool one_stays = false;
  for (const JsonValue member : object.children()) {
    const bool removed =
        std::find(change.removed.begin(), change.removed.end(), member) != change.removed.end();
    if (previous && !one_stays) {
      // All before this one go, and what separates them from it.
      cuts.push_back({previous->member_begin(), member.member_begin(), {}});
    }
    if (removed && one_stays) {
      cuts.push_back({previous->end(), member.end(), {}});
    }
    one_stays = one_stays || !removed;
    previous = member;
  }
  if (previous && !one_stays) {
    cuts.push_back({previous->member_begin(), previous->end(), {}});
  }
  if (!change.inserted.empty()) {
    const std::size_t at = previous ? previous->end() : object.begin() + 1;
    cuts.push_back({at, at, (one_stays ? "," : "") + change.inserted});
  }
}

}  // namespace

std::string json_quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += "\\u00";
      quoted += kHex[static_cast<unsigned char>(c) >> 4];
      quoted += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  return quoted;
}

void JsonSplice::replace(const JsonValue& value, std::string value_text) {
  edits_.push_back({Edit::Kind::replace, value, std::move(value_text)});
}

void JsonSplice::remove(const JsonValue& member) {
  if (!member.parent().is(JsonKind::object) || member == member.parent()) {
    throw std::logic_error("only members of objects can be removed");
  }
  edits_.push_back({Edit::Kind::remove, member, {}});
}

void JsonSplice::insert(const JsonValue& object, std::string_view key, std::string value_text) {
  if (!object.is(JsonKind::object)) {
    throw std::logic_error("only objects can be inserted into");
  }
  edits_.push_back({Edit::Kind::insert, object, "\"" + std::string(key) + "\":" + std::move(value_text)});
}

std::string JsonSplice::apply(const JsonValue& within) const {
  const bool whole = within == within.parent();
  const std::size_t begin = whole ? 0 : within.begin();
  const std::size_t end = whole ? within.tree().text().size() : within.end();

  std::vector<Cut> cuts;
  std::map<JsonValue, Membership> objects;
  for (const Edit& edit : edits_) {
    if (edit.where.begin() < begin || edit.where.end() > end) {
      continue;
    }
    switch (edit.kind) {
      case Edit::Kind::replace:
        cuts.push_back({edit.where.begin(), edit.where.end(), edit.text});
        break;
      case Edit::Kind::remove:
        if (edit.where != within) {
          objects[edit.where.parent()].removed.push_back(edit.where);
        }
        break;
      case Edit::Kind::insert: {
        std::string& inserted = objects[edit.where].inserted;
        inserted += (inserted.empty() ? "" : ",") + edit.text;
        break;
      }
    }
  }
  for (const auto& [object, change] : objects) {
    append_member_cuts(cuts, object, change);
  }
  // An insertion stands behind what ends where it is.
  std::sort(cuts.begin(), cuts.end(),
            [](const Cut& a, const Cut& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });

  const std::string_view text = within.tree().text();
  std::string result;
  result.reserve(end - begin + 64 * cuts.size());
  std::size_t done = begin;
  for (const Cut& cut : cuts) {
    if (cut.begin < done) {
      throw std::logic_error("two edits of the same bytes");
    }
    result += text.substr(done, cut.begin - done);
    result += cut.text;
    done = cut.end;
  }
  result += text.substr(done, end - done);
  return result;
}

}  // namespace qrerank::proxy::rewrite
