"""Plain curl."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from tests.integration import library
from tests.integration.clients.comparison import Calls, compare
from tests.integration.clients.flags import FLAG, assert_reranked

CURL_SECONDS = 60
QUERY = {"query": library.NORTH, "limit": 5, "with_payload": ["text"]}


def curl(qdrant, url: str, *arguments: str) -> tuple[int, Any]:
    program = shutil.which("curl")
    assert program, "curl is missing"
    key = [item for name, value in qdrant.headers.items() for item in ("-H", f"{name}: {value}")]
    command = [program, "-sS", "-w", "\n%{http_code}", *key, *arguments, url]
    done = subprocess.run(command, capture_output=True, timeout=CURL_SECONDS)
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition(b"\n")
    answer = json.loads(body) if body.startswith(b"{") else body.decode()
    if isinstance(answer, dict):
        answer.pop("time", None)
    return int(status), answer


def texts_of(answer: tuple[int, Any]) -> list[str]:
    status, content = answer
    assert status == 200, content
    return [point["payload"]["text"] for point in content["result"]["points"]]


def test_ordinary_calls_are_the_same_through_the_proxy(qdrant, proxy, collection):
    path = f"/collections/{collection}"
    asked = [
        ("/", []),
        ("/healthz", []),
        ("/collections", []),
        (path, []),
        (f"{path}/exists", []),
        (f"{path}/points/query", ["-d", json.dumps(QUERY)]),
        (f"{path}/points/query", ["--compressed", "-d", json.dumps(QUERY)]),
        (f"{path}/points/query?timeout=20&consistency=all", ["-d", json.dumps(QUERY)]),
        (f"{path}//points/query/", ["--path-as-is", "-d", json.dumps(QUERY)]),
        (f"{path}/points/query", ["--http1.0", "-d", json.dumps(QUERY)]),
        (f"{path}/points/query", ["-H", "Transfer-Encoding: chunked", "-d", json.dumps(QUERY)]),
        (f"{path}/points/query", ["-d", '{"query":[1.0,0.0],"note":"use_reranker"}']),
        (f"{path}/points/query", ["-d", "{"]),
        (f"{path}/points/search", ["-d", json.dumps({"vector": library.NORTH, "limit": 2})]),
        (f"{path}/points/5", []),
        (f"{path}/nothing-here", []),
    ]

    def run(url: str, calls: Calls) -> None:
        for target, arguments in asked:
            calls.note(target, curl(qdrant, url + target, *arguments))

    compare("curl", run, qdrant, proxy)


def test_flags(qdrant, proxy, collection):
    url = f"{proxy.url}/collections/{collection}/points/query"
    plain = texts_of(curl(qdrant, url, "-d", json.dumps(QUERY)))
    headers = [item for name, value in FLAG.items() for item in ("-H", f"{name}: {value}")]
    in_body = {**QUERY, "use_reranker": True, "rerank_query": library.QUERY}
    parameters = "?use_reranker=true&rerank_query=" + library.QUERY.replace(" ", "+")
    for target, arguments in (
        (url, ["-d", json.dumps(in_body)]),
        (url, [*headers, "-d", json.dumps(QUERY)]),
        (url + parameters, ["-d", json.dumps(QUERY)]),
    ):
        answer = curl(qdrant, target, *arguments)
        assert_reranked(texts_of(answer), plain)
        assert answer[1]["reranking_used"] is True and answer[1]["reranker_model"] == "mock"
