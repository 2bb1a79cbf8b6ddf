"""/metrics of the running program: its page in docs, the dashboard and the alerts, and what each room counts."""

import json
import re
import socket
import time
from collections.abc import Callable

import httpx
import pytest
import yaml

from tests.integration import library
from tests.support.metrics import NAMED, PARTS, Metric, scraped, table
from tests.support.promql import uses
from tests.support.qrerank_process import REPOSITORY, Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, answering, ok


def samples(proxy: Qrerank) -> dict[str, float]:
    lines = httpx.get(f"http://{proxy.admin}/metrics", timeout=LIMIT_S).text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}


def when(proxy: Qrerank, right: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """The end of a request is counted after its last byte has gone."""
    until = time.monotonic() + LIMIT_S
    while not right(found := samples(proxy)) and time.monotonic() < until:
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def idle():
    with Qrerank("http://127.0.0.1:1", NAMED) as process:
        yield process


def test_the_page_of_the_docs_is_true(idle):
    text = (REPOSITORY / "docs/metrics.md").read_text()
    written = "".join(re.findall(r"^\|.*\n", text.partition("## All of them")[2], re.MULTILINE))
    assert written == table(scraped(idle)), "python -m tests.support.metrics prints the table"


def test_closed_sets_are_there_from_the_start(idle):
    metrics = scraped(idle)
    assert metrics["qrerank_fallbacks_total"].labels["reason"] == {
        "overloaded", "timeout", "model_unavailable", "out_of_memory", "no_candidates", "no_text", "no_query", "backend_error", "internal"
    }
    assert metrics["qrerank_requests_total"].labels["outcome"] == {"passed", "reranked", "fallback", "refused", "failed", "cancelled"}
    assert len(metrics["qrerank_requests_total"].labels["endpoint"]) == 12
    assert "proxy.header_timeout" in metrics["qrerank_limits_tripped_total"].labels["limit"]
    # The names under which limits are counted are settings.
    reference = (REPOSITORY / "docs/configuration.md").read_text()
    assert [limit for limit in metrics["qrerank_limits_tripped_total"].labels["limit"] if f"`{limit}`" not in reference] == []


def test_the_process_is_told(idle):
    found = samples(idle)
    assert abs(found["process_start_time_seconds"] - time.time()) < 3600
    assert 5 < found["process_open_fds"] < found["process_max_fds"]
    assert found["process_resident_memory_bytes"] > 1e6
    assert found["process_threads"] > 1


@pytest.mark.sanitize
def test_connections_to_the_upstream_are_told():
    settings = {"upstream.keep_alive_timeout": "10m", "upstream.health_interval": "0ms", "proxy.io_threads": 1}
    with FakeUpstream(answering(ok())) as up, Qrerank(f"http://127.0.0.1:{up.port}", settings=settings) as proxy:
        of = f'{{upstream="http://127.0.0.1:{up.port}"}}'
        with proxy.client() as client:
            for _ in range(3):
                client.get("/x")
        found = when(proxy, lambda now: now[f"qrerank_upstream_idle_connections{of}"] == 1)
        assert found[f"qrerank_upstream_connections{of}"] == found[f"qrerank_upstream_idle_connections{of}"] == 1
        assert found[f"qrerank_upstream_connections_opened_total{of}"] == 1
        assert found[f"qrerank_upstream_connections_reused_total{of}"] == 2
        assert found["qrerank_response_body_bytes_total"] == 15


@pytest.mark.sanitize
def test_limits_are_counted_by_their_settings():
    settings = {"proxy.max_headers": 10, "proxy.max_header_bytes": 1024, "proxy.header_timeout": "100ms", "proxy.max_inspect_body": "1KiB"}
    with FakeUpstream(answering(ok())) as up, Qrerank(f"http://127.0.0.1:{up.port}", settings=settings) as proxy:
        with proxy.client() as client:
            assert client.get("/x", headers={"x-long": "y" * 2000}).status_code == 431
            assert client.get("/x", headers={f"x-{i}": "y" for i in range(10)}).status_code == 431
            client.post("/collections/c/points/query", content=b" " * 2000)  # its length says so
            client.post("/collections/c/points/query", content=iter([b" " * 900, b" " * 900]))  # its bytes do
        with socket.create_connection(proxy.address, LIMIT_S) as slow:
            slow.sendall(b"GET / HTTP/1.1\r\n")
            assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
        found = samples(proxy)
        tripped = {name: value for name, value in found.items() if name.startswith("qrerank_limits_tripped_total") and value}
        assert tripped == {
            'qrerank_limits_tripped_total{limit="proxy.max_header_bytes"}': 1,
            'qrerank_limits_tripped_total{limit="proxy.max_headers"}': 1,
            'qrerank_limits_tripped_total{limit="proxy.max_inspect_body"}': 2,
            'qrerank_limits_tripped_total{limit="proxy.header_timeout"}': 1,
        }


@pytest.mark.sanitize
def test_errors_of_the_upstream_are_counted_by_kind():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Qrerank(f"http://127.0.0.1:{port}", settings={"upstream.health_interval": "0ms"}) as proxy, proxy.client() as client:
        assert client.get("/x").status_code == 502
        found = samples(proxy)
        assert found[f'qrerank_upstream_errors_total{{kind="connect_refused",upstream="http://127.0.0.1:{port}"}}'] == 1


def test_a_reranked_search_is_counted(proxy, through, collection):
    before = samples(proxy)
    body = {"query": library.NORTH, "use_reranker": True, "rerank_query": library.QUERY, "limit": 3}
    answer = through.post(f"/collections/{collection}/points/query", json=body).json()
    assert answer["reranking_used"] is True
    name = 'qrerank_requests_total{endpoint="query",outcome="reranked"}'
    after = when(proxy, lambda now: now[name] == before[name] + 1)
    assert after["qrerank_candidates_total"] == before["qrerank_candidates_total"] + answer["reranking_candidates"]
    for stage in ("upstream", "tokenize", "queue", "compute"):
        count = f'qrerank_stage_duration_seconds_count{{stage="{stage}"}}'
        assert after[count] == before[count] + 1


# What Prometheus itself adds: to each series, and beside them.
OF_THE_TARGET = {"job", "instance"}
OF_PROMETHEUS = {"up"}
DASHBOARD = REPOSITORY / "deploy/grafana-dashboard.json"
ALERTS = REPOSITORY / "deploy/prometheus-alerts.yaml"


def faults(expression: str, metrics: dict[str, Metric]) -> list[str]:
    """What of it a running program does not have."""
    used, grouped = uses(expression)
    found = []
    labels: set[str] = set(OF_THE_TARGET)
    for metric in used:
        base = next((metric.name.removesuffix(part) for part in PARTS if metric.name.removesuffix(part) in metrics), metric.name)
        if metric.name in OF_PROMETHEUS:
            known: dict[str, set[str]] = {}
        elif base not in metrics or (metrics[base].type == "histogram") != (base != metric.name):
            found.append(f"no metric {metric.name}")
            continue
        else:
            known = metrics[base].labels | ({"le": set()} if metric.name.endswith("_bucket") else {})
        labels |= set(known)
        for label, operator, value in metric.labels:
            if label in OF_THE_TARGET:
                continue
            if label not in known:
                found.append(f"{metric.name} has no label {label}")
            elif known[label] and operator in ("=", "!=", "=~", "!~") and (none := set(value.split("|")) - known[label]):
                found.append(f"{metric.name}: {label} is never {none}")
    return found + [f"nothing has the label {label}" for label in grouped - labels]


def grafana(expression: str) -> str:
    return expression.replace("$__rate_interval", "5m")


def test_the_dashboard_shows_what_there_is(idle):
    dashboard = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len(panels) > 20
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    metrics = scraped(idle)
    for panel in panels:
        assert panel["description"] and panel["targets"], panel["title"]
        for target in panel["targets"]:
            assert faults(grafana(target["expr"]), metrics) == [], panel["title"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            query = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])
            assert faults(query[1], metrics) == [] and query[2] in OF_THE_TARGET


def test_alerts_ask_for_what_there_is_and_are_explained(idle):
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    operations = (REPOSITORY / "docs/operations.md").read_text()
    metrics = scraped(idle)
    for rule in group["rules"]:
        assert faults(rule["expr"], metrics) == [], rule["alert"]
        assert f"| `{rule['alert']}` |" in operations
        placeholders = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
        assert placeholders <= OF_THE_TARGET | uses(rule["expr"])[1] | {label for used in uses(rule["expr"])[0] for label in metrics.get(used.name, Metric("", "")).labels}


def test_what_is_not_there_is_found(idle):
    """The two tests before are of use."""
    metrics = scraped(idle)
    assert faults("rate(qrerank_requests[5m])", metrics) == ["no metric qrerank_requests"]
    assert faults("sum(qrerank_stage_duration_seconds)", metrics) == ["no metric qrerank_stage_duration_seconds"]
    assert faults('qrerank_queue_texts{model="x"}', metrics) == ["qrerank_queue_texts has no label model"]
    assert faults('qrerank_fallbacks_total{reason=~"timeout|late"}', metrics) == ["qrerank_fallbacks_total: reason is never {'late'}"]
    assert faults("sum by (model) (qrerank_queue_texts)", metrics) == ["nothing has the label model"]
    for broken in ("sum(rate(up[5m])", "up)", "rate up", "up{job}"):
        with pytest.raises(ValueError):
            uses(broken)
