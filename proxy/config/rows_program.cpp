// The rows of the program as a whole: those at the top level, log.*.
#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {

void add_top_level(Keys& keys) {
  keys.push_back(
      defaulting_to(values::text(ValueType::path, "", "models_folder", "a folder",
                                 "Where `qrerank pull` writes and models without a `path` are looked for; "
                                 "no variable sets it.",
                                 QRERANK_CONFIG(std::string, models_folder)),
                    "`$XDG_CACHE_HOME/qrerank/models`, else `~/.cache/qrerank/models`"));
  keys.push_back(defaulting_to(
      live(within(Scope::instruction,
                  values::text(
                      ValueType::text, "instructions", "", "a text",
                      "What relevance means, by a name that `rerank_instruction` may use; `general`, `code`, "
                      "`qa`, `legal`, `medical` and `support` are there from the start.",
                      QRERANK_AT(std::string, place.instruction->text)))),
      "none"));
}

void add_log(Keys& keys) {
  keys.push_back(live(values::word("log", "level", "The least important lines that are written.",
                                   QRERANK_CONFIG(std::string, log.level),
                                   {"trace", "debug", "info", "warn", "error"})));
  keys.push_back(values::choice<LogFormat>("log", "format", "Lines for people, or one JSON object a line.",
                                           QRERANK_CONFIG(LogFormat, log.format),
                                           {{"text", LogFormat::text}, {"json", LogFormat::json}}));
  keys.push_back(
      live(values::boolean("log", "access", "One line for each request.", QRERANK_CONFIG(bool, log.access))));
}

}  // namespace qrerank::proxy::config::rows
