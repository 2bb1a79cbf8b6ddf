"""Traces: what `traceparent` becomes on the way up, and the spans that a collector gets, also when it is no good."""

import socket
import struct
import threading
import time

import pytest

from tests.integration import library
from tests.integration.test_metrics import samples, when
from tests.support.collector import Collector
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import FakeUpstream, Message, answering, ok
from tests.support.waiting import wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
UNSAMPLED = f"00-{TRACE}-b7ad6b7169203331-00"
SERVER, CLIENT = 2, 3


def traced(collector: Collector, upstream: str, **settings: object) -> Qrerank:
    return Qrerank(upstream, settings={"tracing.endpoint": collector.url, "upstream.health_interval": "0ms", **settings})


def sent_up(requests: list[Message]) -> list[str]:
    return requests[-1].all("traceparent")


@pytest.fixture
def seen() -> list[Message]:
    return []


@pytest.fixture
def upstream(seen):
    with FakeUpstream(answering(ok(), requests=seen)) as up:
        yield up


def at(up: FakeUpstream) -> str:
    return f"http://127.0.0.1:{up.port}"


def test_without_tracing_the_header_passes_as_it_came(upstream, seen):
    with Qrerank(at(upstream)) as proxy, proxy.client() as client:
        for headers in ({"TraceParent": PARENT, "tracestate": "a=b"}, {"traceparent": "nonsense"}, {}):
            client.get("/x", headers=headers)
            assert sent_up(seen) == [value for name, value in headers.items() if name.lower() == "traceparent"]
            assert seen[-1].all("tracestate") == ([headers["tracestate"]] if "tracestate" in headers else [])


@pytest.mark.sanitize
def test_a_relayed_request_goes_on_in_its_trace(upstream, seen):
    with Collector() as collector, traced(collector, at(upstream), **{"tracing.service_name": "shop-search"}) as proxy:
        before = time.time_ns()
        with proxy.client() as client:
            client.get("/collections/c?timeout=3", headers={"traceparent": PARENT, "tracestate": "a=b"})
        own, up = sorted(collector.wait_for_spans(2), key=lambda span: span.kind)
        assert (own.kind, up.kind) == (SERVER, CLIENT)
        assert own.trace == up.trace == TRACE
        assert own.parent == "b7ad6b7169203331"
        assert up.parent == own.id
        assert sent_up(seen) == [f"00-{TRACE}-{up.id}-01"]
        assert seen[-1].all("tracestate") == ["a=b"]
        assert before < own.start_ns <= up.start_ns <= up.end_ns <= own.end_ns < time.time_ns()
        assert own.name == "GET"
        request_id = own.attributes.pop("qrerank.request_id")
        assert len(request_id) == 32
        assert own.attributes == {
            "http.request.method": "GET", "url.path": "/collections/c", "network.protocol.version": "1.1", "http.response.status_code": 200
        }
        assert up.attributes == {"http.request.method": "GET", "http.response.status_code": 200, "qrerank.upstream": at(upstream)}
        assert collector.services == {"shop-search"}
        assert collector.headers[0]["content-type"] == "application/json"


def test_traces_begin_where_none_came_and_anew_after_a_bad_one(upstream, seen):
    with Collector() as collector, traced(collector, at(upstream)) as proxy, proxy.client() as client:
        for bad in ([], ["00-nonsense"], [PARENT, PARENT], [PARENT.replace("0af", "0AF")]):
            client.get("/x", headers=[*(("traceparent", value) for value in bad), ("tracestate", "a=b")])
            version, trace, span, flags = sent_up(seen)[0].split("-")
            assert (version, len(trace), len(span), flags) == ("00", 32, 16, "01")
            assert trace != TRACE and len(sent_up(seen)) == 1
            assert seen[-1].all("tracestate") == []  # it belongs to a trace that was not continued
        spans = collector.wait_for_spans(8)
        assert len({span.trace for span in spans}) == 4
        assert all(span.parent == "" for span in spans if span.kind == SERVER)


def test_what_the_parent_or_the_ratio_leaves_out_is_not_sent(upstream, seen):
    with Collector() as collector, traced(collector, at(upstream), **{"tracing.sample_ratio": 0}) as proxy, proxy.client() as client:
        client.get("/unsampled", headers={"traceparent": UNSAMPLED, "tracestate": "a=b"})
        assert sent_up(seen) == [UNSAMPLED] and seen[-1].all("tracestate") == ["a=b"]
        client.get("/none")
        assert sent_up(seen)[0].endswith("-00")  # those behind need not decide anew
        client.get("/sampled", headers={"traceparent": PARENT})
        spans = collector.wait_for_spans(2)
        assert {span.attributes.get("url.path", "/sampled") for span in spans} == {"/sampled"}


def test_a_client_cannot_take_its_own_trace_away(upstream, seen):
    """By naming the field in Connection, which holds for what it sent and not for what is added here."""
    with Collector() as collector, traced(collector, at(upstream)) as proxy, proxy.client() as client:
        client.get("/x", headers={"traceparent": PARENT, "tracestate": "a=b", "connection": "TraceParent, x-a", "x-a": "b"})
        up = next(span for span in collector.wait_for_spans(2) if span.kind == CLIENT)
        assert sent_up(seen) == [f"00-{TRACE}-{up.id}-01"]
        assert seen[-1].all("tracestate") == ["a=b"] and seen[-1].all("x-a") == []


@pytest.mark.sanitize
def test_a_search_tells_its_steps_and_no_texts(qdrant, collection):
    with Collector() as collector, traced(collector, qdrant.url) as proxy, proxy.client() as client:
        client.headers.update(qdrant.headers)
        body = {"query": library.NORTH, "use_reranker": True, "rerank_query": "marker-of-the-query", "with_payload": True}
        answer = client.post(f"/collections/{collection}/points/query", json=body, headers={"traceparent": PARENT}).json()
        spans = {span.name: span for span in collector.wait_for_spans(6)}
        route = "/collections/{collection_name}/points/query"
        own = spans[f"POST {route}"]
        assert own.attributes["http.route"] == route
        assert (own.attributes["qrerank.outcome"], own.attributes["qrerank.model"]) == ("reranked", "mock")
        up, rerank = spans["POST"], spans["rerank"]
        assert up.kind == CLIENT and up.parent == rerank.parent == own.id
        assert up.attributes["url.path"] == f"/collections/{collection}/points/query"
        assert up.attributes["qrerank.upstream"] == qdrant.url
        assert rerank.attributes == {"qrerank.model": "mock", "qrerank.candidates": answer["reranking_candidates"], "qrerank.cached": 0}
        stages = [spans[name] for name in ("tokenize", "queue", "compute")]
        assert {stage.parent for stage in stages} == {rerank.id}
        assert [stage.start_ns for stage in stages[1:]] == [stage.end_ns for stage in stages[:-1]]
        assert up.end_ns <= rerank.start_ns
        assert {span.trace for span in spans.values()} == {TRACE}
        told = str(list(spans.values()))
        assert "marker-of-the-query" not in told and not any(text in told for text in library.TEXTS)


@pytest.mark.sanitize
def test_reading_a_collections_metadata_has_its_span(qdrant, collection):
    settings = {"models.base.hub": "BAAI/bge-reranker-base", "models.base.path": "/nowhere"}  # the metadata could lead there
    with Collector() as collector, traced(collector, qdrant.url, **settings) as proxy, proxy.client() as client:
        client.headers.update(qdrant.headers)
        body = {"query": library.NORTH, "use_reranker": True, "rerank_query": "x"}
        for _ in range(2):  # the second time it is remembered
            assert client.post(f"/collections/{collection}/points/query", json=body).status_code == 200
        spans = collector.wait_for_spans(13)
        servers = [span for span in spans if span.kind == SERVER]
        (reading,) = [span for span in spans if span.name == "GET"]
        assert reading.kind == CLIENT and reading.parent in {span.id for span in servers}
        assert reading.attributes == {
            "http.request.method": "GET", "url.path": f"/collections/{collection}", "http.response.status_code": 200, "qrerank.upstream": qdrant.url
        }


def test_a_search_that_falls_back_tells_why(qdrant, collection):
    with Collector() as collector, traced(collector, qdrant.url) as proxy, proxy.client() as client:
        client.headers.update(qdrant.headers)
        body = {"query": library.NORTH, "use_reranker": True, "rerank_query": "x", "rerank_field": "nowhere"}
        assert client.post(f"/collections/{collection}/points/query", json=body).json()["reranking_reason"] == "no_text"
        (own,) = [span for span in collector.wait_for_spans(2) if span.kind == SERVER]
        assert (own.attributes["qrerank.outcome"], own.attributes["qrerank.reason"]) == ("fallback", "no_text")


def test_an_upstream_that_is_not_there_is_an_error_of_both_spans():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Collector() as collector, traced(collector, f"http://127.0.0.1:{port}") as proxy, proxy.client() as client:
        assert client.get("/x").status_code == 502
        own, up = sorted(collector.wait_for_spans(2), key=lambda span: span.kind)
        assert own.failed and up.failed
        assert (own.attributes["error.type"], up.attributes["error.type"]) == ("502", "connect_refused")


def test_a_collector_that_refuses_for_now_gets_the_batch_again(upstream):
    with Collector() as collector, traced(collector, at(upstream)) as proxy, proxy.client() as client:
        collector.answer = 503
        client.get("/x")
        collector.wait(lambda: collector.posts >= 1)
        collector.answer = 200
        assert len(collector.wait_for_spans(2)) == 2
        found = when(proxy, lambda now: now["qrerank_spans_sent_total"] == 2)
        assert (found["qrerank_spans_sent_total"], found["qrerank_spans_dropped_total"]) == (2, 0)


def test_a_batch_that_is_refused_for_good_is_dropped_and_counted(upstream):
    with Collector() as collector, traced(collector, at(upstream)) as proxy, proxy.client() as client:
        collector.answer = 400
        assert client.get("/x").status_code == 200
        found = when(proxy, lambda now: now["qrerank_spans_dropped_total"] == 2)
        assert (found["qrerank_spans_sent_total"], found["qrerank_spans_dropped_total"]) == (0, 2)
        assert "spans are not taken" in proxy.wait_for_log("spans are not taken")


def test_a_slow_collector_holds_nobody_up_and_the_rest_is_dropped(upstream):
    """Nothing waits for it: more than fits is asked while it answers nothing at all, and the end comes in time."""
    with Collector() as collector:
        with traced(collector, at(upstream)) as proxy, proxy.client() as client:
            collector.hold.clear()
            for _ in range(2500):  # two spans each; 4096 and a batch of 512 fit
                assert client.get("/x").status_code == 200
            found = samples(proxy)
            assert found["qrerank_spans_dropped_total"] > 0 and found["qrerank_spans_sent_total"] == 0
            began = time.monotonic()
            assert proxy.stop() == 0
            assert time.monotonic() - began < 30  # a limit of two seconds, on a busy machine


@pytest.mark.sanitize
def test_the_end_sends_what_waits(upstream):
    with Collector() as collector:
        with traced(collector, at(upstream)) as proxy, proxy.client() as client:
            for _ in range(20):
                client.get("/x")
        assert len(collector.spans) == 40


def test_a_collector_behind_https_and_a_key(upstream, authority):
    certificate = authority.issue("collector")
    with Collector((certificate.certificate, certificate.key)) as collector:
        settings = {"tracing.ca": authority.certificate, "tracing.headers": "Authorization=Bearer marker-of-a-key,X-Tenant=one"}
        with traced(collector, at(upstream), **settings) as proxy, proxy.client() as client:
            client.get("/x")
            collector.wait_for_spans(2)
            assert collector.headers[0]["authorization"] == "Bearer marker-of-a-key"
            assert collector.headers[0]["x-tenant"] == "one"
        assert "marker-of-a-key" not in proxy.stderr


def test_a_certificate_of_nobodys_is_not_trusted(upstream, authority):
    certificate = authority.issue("collector")
    with Collector((certificate.certificate, certificate.key)) as collector, traced(collector, at(upstream)) as proxy, proxy.client() as client:
        client.get("/x")
        proxy.wait_for_log("spans are not taken")
        assert collector.posts == 0


def handlers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if "process_request_thread" in thread.name}



def test_the_collector_itself_is_silent_when_its_client_goes(capfd):
    """Else a traceback that nobody asked for stands in the output of a test that found nothing wrong."""

    def connected(collector: Collector, head: bytes, body: bytes) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", collector.port))
        client.sendall(b"POST /v1/traces HTTP/1.1\r\n" + head + b"\r\n\r\n" + body)
        return client

    body = b'{"resourceSpans": []}'
    with Collector() as collector:
        collector.hold.clear()
        others = handlers()  # of collectors before; they may end meanwhile
        with connected(collector, b"content-length: %d" % len(body), body) as client:
            wait_until(lambda: handlers() - others)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        collector.hold.set()
        wait_until(lambda: not handlers() - others)
        assert (collector.posts, capfd.readouterr().err) == (1, "")
        told: list[str] = []
        with connected(collector, b"content-length: x", b""):
            wait_until(lambda: "Traceback" in "".join(told) or told.append(capfd.readouterr().err))
