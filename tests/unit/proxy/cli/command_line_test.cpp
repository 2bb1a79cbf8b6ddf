#include "proxy/cli/command_line.hpp"

#include <boost/test/unit_test.hpp>
#include <sstream>

#include "proxy/cli/check_config.hpp"

namespace cli = qrerank::proxy::cli;

namespace {

cli::Command parsed(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "qrerank");
  return cli::parse(static_cast<int>(arguments.size()), arguments.data());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(serve) {
  const auto command = parsed({"serve", "--config", "c.yaml", "--set", "a=1", "--set", "b=2,3"});
  const auto& serve = std::get<cli::ServeCommand>(command);
  BOOST_TEST(serve.config.file.value() == "c.yaml");
  BOOST_TEST(serve.config.sets == (std::vector<std::string>{"a=1", "b=2,3"}),
             boost::test_tools::per_element());
  BOOST_TEST(!std::get<cli::ServeCommand>(parsed({"serve"})).config.file.has_value());
}

BOOST_AUTO_TEST_CASE(check_config) {
  const auto command = parsed({"check-config", "--collection", "a", "--collection", "b"});
  const auto& check = std::get<cli::CheckConfigCommand>(command);
  BOOST_TEST(check.collections.size() == 2u);
  BOOST_TEST(!check.print_reference);
  BOOST_TEST(
      std::get<cli::CheckConfigCommand>(parsed({"check-config", "--print-reference"})).print_reference);
}

BOOST_AUTO_TEST_CASE(pull) {
  const auto plain = std::get<cli::PullCommand>(parsed({"pull", "o/n"}));
  BOOST_TEST(plain.hub_name == "o/n");
  BOOST_TEST(plain.revision == "main");
  BOOST_TEST(!plain.folder.has_value());
  const auto full =
      std::get<cli::PullCommand>(parsed({"pull", "o/n", "--revision", "r", "--to", "f", "--retries", "0"}));
  BOOST_TEST(full.revision == "r");
  BOOST_TEST(full.folder.value() == "f");
  BOOST_TEST(full.retries == 0);
}

BOOST_AUTO_TEST_CASE(eval) {
  const auto plain = std::get<cli::EvalCommand>(parsed({"eval", "--collection", "c", "--queries", "q"}));
  BOOST_TEST(plain.url == "http://127.0.0.1:7333");
  BOOST_TEST(plain.top_k == (std::vector<unsigned>{20, 50, 100}), boost::test_tools::per_element());
  BOOST_TEST(plain.weights == (std::vector<double>{0.25, 0.5, 0.75, 1}), boost::test_tools::per_element());
  BOOST_TEST(plain.models.empty());
  BOOST_TEST(!plain.most_added_ms.has_value());
  const auto full = std::get<cli::EvalCommand>(
      parsed({"eval",    "--collection", "c",        "--queries", "q",       "--top-k", "10,30",
              "--top-k", "20",           "--weight", "0,1",       "--model", "a,b",     "--max-added-ms",
              "200",     "--first",      "5",        "--html",    "r.html",  "--using", "dense"}));
  BOOST_TEST(full.top_k == (std::vector<unsigned>{10, 30, 20}), boost::test_tools::per_element());
  BOOST_TEST(full.weights == (std::vector<double>{0, 1}), boost::test_tools::per_element());
  BOOST_TEST(full.models == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
  BOOST_TEST(full.most_added_ms.value() == 200);
  BOOST_TEST(full.first == 5u);
  BOOST_TEST(full.html.value() == "r.html");
  BOOST_TEST(full.using_vector == "dense");
}

BOOST_AUTO_TEST_CASE(rerank_and_models) {
  const auto rerank =
      std::get<cli::RerankCommand>(parsed({"rerank", "--model", "m", "a query", "--json", "--set", "a=1"}));
  BOOST_TEST(rerank.model == "m");
  BOOST_TEST(rerank.query == "a query");
  BOOST_TEST(rerank.json);
  BOOST_TEST(rerank.config.sets.size() == 1u);
  BOOST_TEST(std::get<cli::RerankCommand>(parsed({"rerank", "q"})).model.empty());
  BOOST_TEST(!std::get<cli::ModelsCommand>(parsed({"models"})).json);
  BOOST_TEST(std::get<cli::ModelsCommand>(parsed({"models", "--json"})).json);
}

BOOST_AUTO_TEST_CASE(version_and_help) {
  BOOST_TEST(std::holds_alternative<cli::VersionCommand>(parsed({"version"})));
  BOOST_TEST(std::holds_alternative<cli::VersionCommand>(parsed({"--version"})));
  const std::pair<std::vector<const char*>, std::string> table[] = {{{"--help"}, "Exit status: 0 done"},
                                                                    {{"serve", "--help"}, "--config"},
                                                                    {{"pull", "--help"}, "HF_TOKEN"}};
  for (const auto& [arguments, part] : table) {
    const auto leave = std::get<cli::Leave>(parsed(arguments));
    BOOST_TEST(leave.code == cli::kOk);
    BOOST_TEST(leave.text.find(part) != std::string::npos, leave.text);
  }
}

BOOST_AUTO_TEST_CASE(help_by_word) {
  const auto text = [](const std::vector<const char*>& arguments) {
    const auto leave = std::get<cli::Leave>(parsed(arguments));
    BOOST_TEST(leave.code == cli::kOk);
    return leave.text;
  };
  BOOST_TEST(text({"help"}) == text({"--help"}));
  for (const auto* command : {"serve", "check-config", "pull", "eval", "rerank", "bench", "models"})
    BOOST_TEST(text({"help", command}) == text({command, "--help"}));
}

BOOST_AUTO_TEST_CASE(no_command_and_no_such_command) {
  const auto told = [](const std::vector<const char*>& arguments) {
    const auto leave = std::get<cli::Leave>(parsed(arguments));
    BOOST_TEST(leave.code == cli::kBadUsage);
    for (const auto* command : {"serve", "check-config", "pull", "eval", "rerank", "bench", "models", "help"})
      BOOST_TEST(leave.text.find("\n  " + std::string(command) + " ") != std::string::npos, leave.text);
    return leave.text;
  };
  BOOST_TEST(told({}) == std::get<cli::Leave>(parsed({"--help"})).text);
  BOOST_TEST(told({"bogus"}).starts_with("qrerank: there is no command bogus\n\nCommands:\n"));
  BOOST_TEST(told({"sevre"}).starts_with("qrerank: there is no command sevre; did you mean serve?\n"));
  BOOST_TEST(told({"help", "evel"}).starts_with("qrerank: there is no command evel; did you mean eval?\n"));
  BOOST_TEST(told({"Serve", "--config", "x"}).find("did you mean serve?") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_mistake_names_the_command_and_the_nearest_option) {
  const std::pair<std::vector<const char*>, std::string> table[] = {
      {{"serve", "--confg", "x"}, "qrerank serve: --confg is no option of its own; did you mean --config?\n"},
      {{"serve", "--confg=x"}, "qrerank serve: --confg is no option of its own; did you mean --config?\n"},
      {{"serve", "--elephant"}, "qrerank serve: --elephant is no option of its own\n"},
      {{"check-config", "--print-referenc"},
       "qrerank check-config: --print-referenc is no option of its own\n"},
      {{"eval", "--collection", "c", "--queries", "q", "--topk", "5"},
       "qrerank eval: --topk is no option of its own; did you mean --top-k?\n"},
      {{"serve", "extra"}, "qrerank serve: extra is one word too many\n"},
      {{"rerank"}, "qrerank rerank: query is required\n"},
      {{"serve", "--set"}, "qrerank serve: --set: 1 required KEY=VALUE missing\n"},
      {{"--confg"}, "qrerank: "}};
  for (const auto& [arguments, begin] : table) {
    const auto leave = std::get<cli::Leave>(parsed(arguments));
    BOOST_TEST(leave.code == cli::kBadUsage);
    BOOST_TEST(leave.text.starts_with(begin), leave.text);
    BOOST_TEST(leave.text.ends_with(" --help tells more.\n"), leave.text);
  }
}

BOOST_AUTO_TEST_CASE(mistakes) {
  const std::vector<const char*> table[] = {
      {},
      {"sevre"},
      {"serve", "--confg", "x"},
      {"serve", "extra"},
      {"serve", "--set"},
      {"pull"},
      {"pull", "a", "b"},
      {"pull", "a", "--retries", "-1"},
      {"pull", "a", "--retries", "many"},
      {"eval"},
      {"eval", "--collection", "c"},
      {"eval", "--collection", "c", "--queries", "q", "--weight", "1.5"},
      {"eval", "--collection", "c", "--queries", "q", "--top-k", "0"},
      {"eval", "--collection", "c", "--queries", "q", "--top-k", "x"},
      {"rerank"},
      {"rerank", "two", "words"},
      {"models", "x"},
      {"version", "x"},
      {"help", "serve", "x"}};
  for (const auto& arguments : table) {
    const auto command = parsed(arguments);
    BOOST_TEST_REQUIRE(std::holds_alternative<cli::Leave>(command));
    BOOST_TEST(std::get<cli::Leave>(command).code == cli::kBadUsage);
    BOOST_TEST(!std::get<cli::Leave>(command).text.empty());
  }
}

BOOST_AUTO_TEST_CASE(running_check_config) {
  const auto run = [](cli::CheckConfigCommand command) {
    std::ostringstream out;
    std::ostringstream problems;
    const auto code = cli::check_config(command, out, problems);
    return std::tuple(code, out.str(), problems.str());
  };
  const auto [code, out, problems] = run({{{}, {"proxy.listen=127.0.0.1:1"}}, {}, false});
  BOOST_TEST(code == cli::kOk);
  BOOST_TEST(out.find("listen: 127.0.0.1:1  # --set proxy.listen\n") != std::string::npos);
  BOOST_TEST(problems.empty());
  const auto [bad_code, bad_out, bad_problems] = run({{{}, {"log.level=loud"}}, {}, false});
  BOOST_TEST(bad_code == cli::kBadUsage);
  BOOST_TEST(bad_out.empty());
  BOOST_TEST(bad_problems.starts_with("--set log.level: "));
  const auto [rule_code, rule, none] = run({{{}, {"collections.d*.rerank=never"}}, {"docs", "x"}, false});
  BOOST_TEST(rule_code == cli::kOk);
  BOOST_TEST(rule.starts_with("docs: the rule collections.d* (--set collections.d*.rerank)"));
  BOOST_TEST(rule.find("\nx: no rule fits") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
