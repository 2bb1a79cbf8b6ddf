#include "proxy/trace/context.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include "proxy/trace/otlp.hpp"
#include "proxy/trace/tracer.hpp"

namespace trace = qrerank::proxy::trace;
namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";

std::string traceparent(const std::string& flags = "01") {
  return "00-" + kTrace + "-" + kSpan + "-" + flags;
}

struct Sink : trace::SpanSink {
  std::vector<trace::Span> spans;
  void take(std::vector<trace::Span> more) override {
    for (auto& span : more) spans.push_back(std::move(span));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(context)

BOOST_AUTO_TEST_CASE(a_good_one_reads_and_writes_back) {
  const auto read = trace::parse_traceparent(traceparent());
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(to_hex(read->trace) == kTrace);
  BOOST_TEST(trace::to_hex(read->span) == kSpan);
  BOOST_TEST(read->sampled);
  BOOST_TEST(format_traceparent(*read) == traceparent());
  BOOST_TEST(!trace::parse_traceparent(traceparent("00"))->sampled);
  BOOST_TEST(trace::parse_traceparent(traceparent("03"))->sampled);  // flags of later days
}

BOOST_AUTO_TEST_CASE(later_versions_are_read_as_far_as_they_are_alike) {
  const std::string rest = traceparent().substr(2);
  BOOST_TEST(trace::parse_traceparent("01" + rest).has_value());
  BOOST_TEST(trace::parse_traceparent("cc" + rest + "-what-else").has_value());
  BOOST_TEST(!trace::parse_traceparent("cc" + rest + "what-else").has_value());
  BOOST_TEST(!trace::parse_traceparent("ff" + rest).has_value());
  BOOST_TEST(!trace::parse_traceparent("00" + rest + "-more").has_value());
}

BOOST_AUTO_TEST_CASE(bad_ones_are_none) {
  const std::string good = traceparent();
  std::string upper = good;
  upper[4] = 'A';
  for (const std::string& bad :
       {std::string(), good.substr(1), good + " ", upper, "00-" + std::string(32, '0') + "-" + kSpan + "-01",
        "00-" + kTrace + "-" + std::string(16, '0') + "-01", "00_" + kTrace + "-" + kSpan + "-01",
        "00-" + kTrace + "-" + kSpan + "-0x", "0g-" + kTrace + "-" + kSpan + "-01"}) {
    BOOST_TEST(!trace::parse_traceparent(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(a_share_of_the_traces_is_sampled) {
  int sampled = 0;
  constexpr int kAll = 4000;
  for (int i = 0; i < kAll; ++i) sampled += trace::is_sampled(trace::new_trace_id(), 0.25) ? 1 : 0;
  BOOST_TEST(sampled > kAll / 5);  // 800 of 1000 expected: further off than any chance
  BOOST_TEST(sampled < kAll * 3 / 10);
  BOOST_TEST(!trace::is_sampled({0, 0}, 0));
  BOOST_TEST(trace::is_sampled({~0ull, ~0ull}, 1));
}

BOOST_AUTO_TEST_CASE(a_trace_goes_on_begins_or_begins_anew) {
  Sink sink;
  const trace::Tracer all(1, sink);
  const trace::Tracer none(0, sink);

  auto goes_on = none.start(traceparent(), 1);  // the parent decides
  BOOST_REQUIRE(goes_on.sent && goes_on.trace != nullptr);
  BOOST_TEST(to_hex(goes_on.sent->trace) == kTrace);
  BOOST_TEST(trace::to_hex(goes_on.trace->server().parent) == kSpan);
  BOOST_TEST(!goes_on.anew);

  auto unsampled = all.start(traceparent("00"), 1);
  BOOST_TEST((!unsampled.sent && unsampled.trace == nullptr));

  auto begins = all.start("", 0);
  BOOST_REQUIRE(begins.trace != nullptr);
  BOOST_TEST(begins.trace->server().parent == 0u);
  BOOST_TEST(begins.sent->sampled);

  auto not_recorded = none.start("", 0);
  BOOST_TEST(not_recorded.trace == nullptr);
  BOOST_REQUIRE(not_recorded.sent.has_value());
  BOOST_TEST(!not_recorded.sent->sampled);  // whoever comes behind knows

  for (auto& anew : {all.start("nonsense", 1).anew, all.start(traceparent(), 2).anew}) BOOST_TEST(anew);
}

BOOST_AUTO_TEST_CASE(spans_of_a_request_arrive_together) {
  Sink sink;
  const trace::Tracer all(1, sink);
  auto begun = all.start(traceparent(), 1);
  auto child = begun.trace->begin(trace::SpanKind::client, "POST");
  const auto own = begun.trace->server().id;
  BOOST_TEST(child.parent == own);
  BOOST_TEST(begun.trace->begin(trace::SpanKind::internal, "x", 7).parent == 7u);
  begun.trace->add(std::move(child));
  BOOST_TEST(sink.spans.empty());
  begun.trace.reset();
  BOOST_TEST(sink.spans.size() == 2u);
}

BOOST_AUTO_TEST_CASE(otlp_is_what_collectors_read) {
  trace::Span span;
  span.trace = trace::parse_traceparent(traceparent())->trace;
  span.id = 0xabc;
  span.parent = 0x1234;
  span.kind = trace::SpanKind::client;
  span.name = "POST";
  const auto now = trace::Clock::now();
  span.start = now - 3s;
  span.end = now - 1s;
  span.tell("url.path", "/a\"b");
  span.tell("http.response.status_code", 503);
  span.failed = true;
  const auto text = trace::to_otlp({&span, 1}, {"qrerank", "1.2.3"}, {now, 10s});
  const auto parsed = json::parse(text);
  const auto& scope = parsed.at("resourceSpans").at(0).at("scopeSpans").at(0);
  const auto& out = scope.at("spans").at(0);
  BOOST_TEST(
      json::serialize(out) ==
      R"({"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000abc","name":"POST","kind":3,)"
      R"("startTimeUnixNano":"7000000000","endTimeUnixNano":"9000000000","parentSpanId":"0000000000001234",)"
      R"("attributes":[{"key":"url.path","value":{"stringValue":"/a\"b"}},)"
      R"({"key":"http.response.status_code","value":{"intValue":"503"}}],"status":{"code":2}})");
  BOOST_TEST(json::serialize(parsed.at("resourceSpans").at(0).at("resource").at("attributes").at(0)) ==
             R"({"key":"service.name","value":{"stringValue":"qrerank"}})");
}

BOOST_AUTO_TEST_SUITE_END()
