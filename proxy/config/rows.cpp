#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {

Key live(Key key) {
  key.needs_restart = false;
  return key;
}

Key defaulting_to(Key key, std::string text) {
  key.default_text = std::move(text);
  return key;
}

Key within(Scope scope, Key key) {
  key.scope = scope;
  return key;
}

Key file(std::string section, std::string name, std::string sentence, Access<std::string> access,
         std::string absent) {
  return defaulting_to(live(values::text(ValueType::path, std::move(section), std::move(name), "a PEM file",
                                         std::move(sentence), access)),
                       std::move(absent));
}

Key min_version(std::string section, Access<TlsVersion> access) {
  return live(values::choice<TlsVersion>(std::move(section), "min_version",
                                         "The oldest version that is spoken.", access,
                                         {{"TLSv1.2", TlsVersion::v1_2}, {"TLSv1.3", TlsVersion::v1_3}}));
}

}  // namespace qrerank::proxy::config::rows
