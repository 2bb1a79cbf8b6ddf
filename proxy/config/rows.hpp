// How the sections of the one table are written: what rows are made with besides values.hpp, and who adds
// which. The order in which they come is schema.cpp's. Private to this room.
#pragma once

#include <string>
#include <vector>

#include "proxy/config/values.hpp"

namespace qrerank::proxy::config::rows {

using Keys = std::vector<Key>;
using values::Access;

constexpr std::uint64_t kKiB = 1u << 10;
constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kGiB = 1u << 30;

// The accessor of one member, e.g. QRERANK_AT(Endpoint, place.config.proxy.listen).
#define QRERANK_AT(type, member) +[](const Place& place) -> type& { return member; }
#define QRERANK_CONFIG(type, member) QRERANK_AT(type, place.config.member)

/// A reload may change it.
Key live(Key key);
/// For what a struct's own default does not tell.
Key defaulting_to(Key key, std::string text);
Key within(Scope scope, Key key);

/// tls.*: a PEM file; `absent` says what is so without it.
Key file(std::string section, std::string name, std::string sentence, Access<std::string> access,
         std::string absent);
Key min_version(std::string section, Access<TlsVersion> access);

void add_proxy(Keys& keys);
void add_admin(Keys& keys);
void add_upstream(Keys& keys);
void add_relays(Keys& keys);
void add_rerank(Keys& keys);
void add_collections(Keys& keys);
void add_selection(Keys& keys);
void add_models(Keys& keys);
void add_scoring(Keys& keys);
void add_inference(Keys& keys);
void add_top_level(Keys& keys);
void add_log(Keys& keys);
void add_tracing(Keys& keys);

}  // namespace qrerank::proxy::config::rows
