#include "proxy/admin/handler.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>

namespace admin = qrerank::proxy::admin;
namespace config = qrerank::proxy::config;
namespace upstream = qrerank::proxy::upstream;
using qrerank::reranker::ModelState;

namespace {

upstream::NodeStatus node(const std::string& url, bool reachable, const std::string& detail) {
  upstream::NodeStatus status;
  status.url = url;
  status.reachable = reachable;
  status.detail = detail;
  return status;
}

// A program in good health; each test breaks one thing.
struct World {
  std::vector<upstream::NodeStatus> upstreams{node("http://a:1", true, "")};
  std::vector<qrerank::reranker::ModelStatus> models;
  bool draining = false;
  std::string level = "info";
  std::string host;
  std::vector<std::string> orders;
  std::shared_ptr<config::Config> settings = std::make_shared<config::Config>();

  World() {
    qrerank::reranker::ModelStatus mock;
    mock.name = "mock";
    mock.state = ModelState::ready;
    models.push_back(mock);
  }

  admin::AdminContext context() {
    return {"1.2.3",
            [] { return std::chrono::seconds(42); },
            [this] { return upstreams; },
            [this] { return models; },
            [this] { return draining; },
            [this] { return settings; },
            [] { return std::string("some_metric 1\n"); },
            [this](const std::string& model) { return ordered("load", model, ModelState::loading); },
            [this](const std::string& model) { return ordered("unload", model, ModelState::unloaded); },
            [this] { return std::string_view(level); },
            [this](std::string_view wanted) { level = wanted; }};
  }
  // As the manager would, of all models but the mock.
  bool ordered(const std::string& what, const std::string& model, ModelState then) {
    orders.push_back(what + " " + model);
    const auto its = std::ranges::find(models, model, &qrerank::reranker::ModelStatus::name);
    if (its != models.end() && its->state != ModelState::ready && model != "mock") its->state = then;
    return model != "mock";
  }
  void add(const std::string& name, ModelState state) {
    auto& model = models.emplace_back();
    model.name = name;
    model.state = state;
  }
  admin::AdminReply get(const std::string& target, const std::string& method = "GET") {
    return admin::handle(
        {.method = method, .target = target, .host = host, .authorization = "", .origin = ""}, context());
  }
  admin::AdminReply put(const std::string& target, const std::string& body) {
    return admin::handle({.method = "PUT", .target = target, .host = host, .body = body}, context());
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(handler)

BOOST_AUTO_TEST_CASE(live_whatever_happens) {
  World world;
  world.upstreams.clear();
  world.models.clear();
  BOOST_TEST(world.get("/livez").status == 200u);
  BOOST_TEST(world.get("/livez").body == "{\"live\":true}\n");
}

BOOST_AUTO_TEST_CASE(ready_when_all_is_well) {
  World world;
  BOOST_TEST(world.get("/readyz").status == 200u);
  BOOST_TEST(world.get("/readyz?verbose").body == "{\"ready\":true}\n");
  world.models[0].state = ModelState::unloaded;  // it loads when first asked
  BOOST_TEST(world.get("/readyz").status == 200u);
  world.upstreams.insert(world.upstreams.begin(),
                         node("http://b:1", false, "refused"));  // one of two is enough
  BOOST_TEST(world.get("/readyz").status == 200u);
}

BOOST_AUTO_TEST_CASE(not_ready_tells_why) {
  const auto reason = [](auto broken) {
    World world;
    broken(world);
    const auto reply = world.get("/readyz");
    BOOST_TEST(reply.status == 503u);
    return reply.body;
  };
  BOOST_TEST(reason([](World& w) { w.draining = true; }) == "{\"ready\":false,\"reason\":\"draining\"}\n");
  BOOST_TEST(
      reason([](World& w) { w.upstreams[0] = node("http://a:1", false, "upstream http://a:1: refused"); }) ==
      "{\"ready\":false,\"reason\":\"no upstream is reachable: upstream http://a:1: refused\"}\n");
  BOOST_TEST(reason([](World& w) { w.upstreams.clear(); }) ==
             "{\"ready\":false,\"reason\":\"no upstream is reachable\"}\n");
  BOOST_TEST(reason([](World& w) { w.settings->rerank.default_model = "m"; }) ==
             "{\"ready\":false,\"reason\":\"the default model m is not there\"}\n");
  for (const auto state : {ModelState::loading, ModelState::draining}) {
    BOOST_TEST(reason([&](World& w) { w.models[0].state = state; }).find("the default model mock is ") !=
               std::string::npos);
  }
  BOOST_TEST(reason([](World& w) {
               w.models[0].state = ModelState::failed;
               w.models[0].detail = "no \"config.json\"";
             }) ==
             "{\"ready\":false,\"reason\":\"the default model mock is failed: no \\\"config.json\\\"\"}\n");
}

BOOST_AUTO_TEST_CASE(metrics_are_text) {
  const auto reply = World().get("/metrics");
  BOOST_TEST(reply.content_type == "text/plain; version=0.0.4; charset=utf-8");
  BOOST_TEST(reply.body == "some_metric 1\n");
}

BOOST_AUTO_TEST_CASE(status_tells_all) {
  World world;
  world.settings->collections.push_back({"docs-*", {}, {}, {}});
  const auto body = world.get("/status").body;
  for (const std::string part :
       {"\"version\":\"1.2.3\"", "\"uptime_seconds\":42", "\"draining\":false", "\"url\":\"http://a:1\"",
        "\"reachable\":true", "\"state\":\"up\"", "\"outstanding\":0", "\"ejections\":0", "\"name\":\"mock\"",
        "\"state\":\"ready\"", "\"default_model\":\"mock\"", "\"proxy_listen\":\"127.0.0.1:7333\"",
        "\"collection_rules\":[\"docs-*\"]"}) {
    BOOST_TEST(body.find(part) != std::string::npos, part << " in " << body);
  }
}

BOOST_AUTO_TEST_CASE(models_are_listed_and_ordered) {
  World world;
  world.add("a b", ModelState::failed);
  world.add("busy", ModelState::ready);
  const auto listed = world.get("/models");
  BOOST_TEST(listed.status == 200u);
  BOOST_TEST(listed.body.starts_with(
      "{\"models\":[{\"name\":\"mock\",\"kind\":\"reranker\",\"names\":[],\"state\":\"ready\""));
  BOOST_TEST(world.get("/status").body.find(listed.body.substr(1, listed.body.size() - 3)) !=
             std::string::npos);
  BOOST_TEST(
      world.get("/models/a%20b?x")
          .body.starts_with("{\"name\":\"a b\",\"kind\":\"reranker\",\"names\":[],\"state\":\"failed\""));
  BOOST_TEST(world.get("/models/a%20b").body.find("\"dimensions\":null") != std::string::npos);
  world.models.back().width = 384;
  BOOST_TEST(world.get("/models/busy").body.find("\"dimensions\":384") != std::string::npos);
  BOOST_TEST(world.get("/models/a%20b", "HEAD").status == 200u);

  const auto loading = world.get("/models/a%20b/load", "POST");
  BOOST_TEST(loading.status == 202u);
  BOOST_TEST(loading.body.find("\"state\":\"loading\"") != std::string::npos);
  BOOST_TEST(world.get("/models/busy/load", "POST").status == 200u);    // is there already
  BOOST_TEST(world.get("/models/busy/unload", "POST").status == 202u);  // once it is idle
  BOOST_TEST(world.get("/models/a%20b/unload", "POST").status == 200u);
  BOOST_TEST(world.orders == (std::vector<std::string>{"load a b", "load busy", "unload busy", "unload a b"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(orders_that_cannot_be_followed) {
  World world;
  world.add("a", ModelState::unloaded);
  struct Row {
    std::string method;
    std::string path;
    unsigned status;
    std::string allow;
  };
  for (const Row& row :
       {Row{"POST", "/models/b/load", 404, ""}, Row{"GET", "/models/b", 404, ""},
        Row{"POST", "/models//load", 404, ""}, Row{"POST", "/models/a/load/", 404, ""},
        Row{"POST", "/models/a/", 404, ""}, Row{"POST", "/models/a/drop", 404, ""},
        Row{"GET", "/models/", 404, ""}, Row{"GET", "/modelsa", 404, ""},
        Row{"GET", "/models/a/load", 405, "POST"}, Row{"PUT", "/models/a/unload", 405, "POST"},
        Row{"POST", "/models", 405, "GET, HEAD"}, Row{"DELETE", "/models/a", 405, "GET, HEAD"}}) {
    const auto reply = world.get(row.path, row.method);
    BOOST_TEST(reply.status == row.status, row.method << " " << row.path);
    BOOST_TEST(reply.allow == row.allow);
    BOOST_TEST(reply.body.starts_with("{\"error\":\""));
  }
  BOOST_TEST(world.orders.empty());
  BOOST_TEST(world.get("/models/mock/unload", "POST").status == 409u);
  BOOST_TEST(world.get("/models/mock/load", "POST").status == 409u);
  world.draining = true;
  world.orders.clear();
  BOOST_TEST(world.get("/models/a/load", "POST").status == 409u);
  BOOST_TEST(world.orders.empty());
}

BOOST_AUTO_TEST_CASE(the_rest) {
  World world;
  for (const std::string target : {"/livez/", "/metric", "", "/collections", "/livezz"}) {
    BOOST_TEST(world.get(target).status == 404u, target);
    BOOST_TEST(world.get(target).body.starts_with("{\"error\":"));
  }
  for (const std::string method : {"POST", "DELETE", "OPTIONS", "get"}) {
    BOOST_TEST(world.get("/livez", method).status == 405u, method);
    BOOST_TEST(world.get("/livez", method).allow == "GET, HEAD");
  }
  BOOST_TEST(world.get("/livez", "HEAD").status == 200u);
}

BOOST_AUTO_TEST_CASE(probes_need_no_token_and_learn_no_reason) {
  World world;
  world.settings->admin.token = config::Secret("0123456789abcdef");
  BOOST_TEST(world.get("/livez").status == 200u);
  BOOST_TEST(world.get("/readyz").body == "{\"ready\":true}\n");
  world.draining = true;
  BOOST_TEST(world.get("/readyz").status == 503u);
  BOOST_TEST(world.get("/readyz").body == "{\"ready\":false}\n");
  for (const std::string target : {"/status", "/metrics", "/nowhere"}) {
    BOOST_TEST(world.get(target).status == 401u, target);
  }
  world.settings->admin.token = {};
  world.host = "evil.example";
  BOOST_TEST(world.get("/readyz").body == "{\"ready\":false}\n");
  BOOST_TEST(world.get("/livez").status == 200u);
  BOOST_TEST(world.get("/status").status == 421u);
}

BOOST_AUTO_TEST_CASE(the_page_is_for_everybody_who_knows_the_name) {
  World world;
  BOOST_TEST(world.get("/").content_type == "text/html; charset=utf-8");
  BOOST_TEST(world.get("/?x").status == 200u);
  BOOST_TEST(world.get("/web/main.js").content_type == "text/javascript; charset=utf-8");
  world.settings->admin.token = config::Secret("0123456789abcdef");
  BOOST_TEST(world.get("/").status == 200u);  // the browser asks without it; what the page asks needs it
  BOOST_TEST(world.get("/models").status == 401u);
  world.settings->admin.token = {};
  world.host = "evil.example";
  BOOST_TEST(world.get("/").status == 421u);
}

BOOST_AUTO_TEST_CASE(the_configuration_in_force_is_told_without_secrets) {
  World world;
  world.settings->admin.token = config::Secret("0123456789abcdef");
  world.settings->proxy.max_headers = 77;
  world.settings->origins["proxy.max_headers"] = "--set proxy.max_headers";
  const admin::AdminRequest asked{
      .method = "GET", .target = "/config", .authorization = "Bearer 0123456789abcdef"};
  const auto reply = admin::handle(asked, world.context());
  BOOST_TEST(reply.status == 200u);
  BOOST_TEST(reply.content_type == "application/yaml");
  BOOST_TEST(reply.body.find("max_headers: 77  # --set proxy.max_headers\n") != std::string::npos);
  BOOST_TEST(reply.body.find("<secret>") != std::string::npos);
  BOOST_TEST(reply.body.find("0123456789abcdef") == std::string::npos);
  BOOST_TEST(world.get("/config").status == 401u);
  world.settings->admin.token = {};
  BOOST_TEST(world.get("/config", "POST").status == 405u);
}

BOOST_AUTO_TEST_CASE(the_log_level_can_be_asked_and_set) {
  World world;
  BOOST_TEST(world.get("/log-level").body == "{\"level\":\"info\",\"configured\":\"info\"}\n");
  const auto set = world.put("/log-level", "{\"level\":\"debug\"}");
  BOOST_TEST(set.status == 200u);
  BOOST_TEST(set.body == "{\"level\":\"debug\",\"configured\":\"info\"}\n");
  BOOST_TEST(world.level == "debug");
  for (const std::string bad :
       {"", "debug", "[]", "{}", "{\"level\":1}", "{\"level\":\"loud\"}", "{\"level\":\"info\",\"x\":1}"}) {
    const auto refused = world.put("/log-level", bad);
    BOOST_TEST(refused.status == 400u, bad);
    BOOST_TEST(refused.body.find("trace, debug, info, warn, error") != std::string::npos);
  }
  BOOST_TEST(world.level == "debug");
  const auto wrong = world.get("/log-level", "POST");
  BOOST_TEST(wrong.status == 405u);
  BOOST_TEST(wrong.allow == "GET, HEAD, PUT");
  world.settings->admin.token = config::Secret("0123456789abcdef");
  BOOST_TEST(world.put("/log-level", "{\"level\":\"trace\"}").status == 401u);
}

BOOST_AUTO_TEST_SUITE_END()
