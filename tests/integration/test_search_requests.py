"""What else a search may hold and how it may come: prefetches, gzip, chunks, odd paths, curl."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess

import pytest

from tests.integration import library
from tests.integration.searching import (
    Answer,
    assert_by_relevance,
    assert_untouched,
    assert_used,
    body_of,
    hybrid,
    post,
    reranked,
    texts_by_id,
)
from tests.support.raw_http import LIMIT_S, Reader

pytestmark = pytest.mark.sanitize


def test_prefetches_are_widened_with_the_search(through, direct, collection):
    own = post(direct, collection, "query", {**hybrid(), "limit": 50})
    assert len(own.ids) <= 6
    answer = post(through, collection, "query", {**hybrid(), "use_reranker": True})
    assert_used(answer, library.WITH_TEXT)
    assert len(answer.ids) == 5
    assert_by_relevance(answer.ids, texts_by_id(direct, collection))


def test_filters_and_strings_may_speak_of_reranking(through, direct, collection):
    words = {"filter": {"must_not": [{"key": "title", "match": {"any": ["use_reranker", "rerank_top_k"]}}]}, "limit": 4}
    answer = post(through, collection, "query", body_of("query", **words))
    assert_untouched(answer, post(direct, collection, "query", body_of("query", **words)))
    assert answer.added_headers() == set()
    assert_used(post(through, collection, "query", reranked("query", **words)))


def test_gzip_body(through, collection):
    body = gzip.compress(json.dumps(reranked("query")).encode())
    answer = post(through, collection, "query", body, headers={"Content-Encoding": "gzip"})
    assert_used(answer, library.WITH_TEXT)
    assert answer.ids == post(through, collection, "query", reranked("query")).ids


def test_client_that_offers_gzip_can_read_the_answer(through, collection):
    answer = post(through, collection, "query", reranked("query"), headers={"Accept-Encoding": "gzip, deflate"})
    assert_used(answer)
    assert answer.header("content-encoding") in (None, "identity", "gzip")


def test_broken_gzip_body_is_no_search(through, direct, collection):
    body = gzip.compress(json.dumps(reranked("query")).encode())[:-9]
    answer = post(through, collection, "query", body, headers={"Content-Encoding": "gzip"})
    assert answer.status == 400 and answer.added_headers() == set()


@pytest.mark.parametrize("path", ["points/query/", "points//query", "points/%71uery"])
def test_paths_are_matched_as_a_server_matches_them(path, through, collection):
    response = through.post(f"/collections/{collection}/{path}", json=reranked("query"))
    assert_used(Answer(response))


def test_chunked_request_on_a_kept_connection(proxy, qdrant, collection):
    text = json.dumps(reranked("query", limit=2)).encode()
    key = "".join(f"{name}: {value}\r\n" for name, value in qdrant.headers.items()).encode()
    head = b"POST /collections/%s/points/query HTTP/1.1\r\nHost: x\r\n%sTransfer-Encoding: chunked\r\n\r\n" % (collection.encode(), key)
    request = head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (text[:7], text[7:])) + b"0\r\n\r\n"
    with socket.create_connection(proxy.address, timeout=LIMIT_S) as client:
        reader = Reader(client)
        for _ in range(3):
            client.sendall(request)
            answer = reader.message()
            assert answer.status == 200 and b'"reranking_used":true' in answer.body


def test_curl_with_headers_and_with_parameters(proxy, qdrant, collection):
    url = f"{proxy.url}/collections/{collection}/points/query"
    key = [item for name, value in qdrant.headers.items() for item in ("-H", f"{name}: {value}")]
    plain = json.dumps(body_of("query", limit=3))
    by_header = ["-H", "X-Rerank: true", "-H", "X-Rerank-Query: red%20fox", url]
    by_parameter = [f"{url}?use_reranker=true&rerank_query=red+fox"]
    answers = []
    for arguments in (by_header, by_parameter):
        done = subprocess.run(["curl", "-sS", "--fail", *key, "-d", plain, *arguments], capture_output=True, timeout=LIMIT_S)
        assert done.returncode == 0, done.stderr
        answers.append(json.loads(done.stdout))
    assert all(answer["reranking_used"] is True for answer in answers)
    assert answers[0]["result"] == answers[1]["result"]
