"""Every recorded exchange through the whole program: the client sees what the real server answered, byte for byte.

The upstream is a fake that plays the recorded response. The recordings whose request asks for a rerank by a name of
ours, or which a careful intermediary must refuse by itself, stand in tables with what is expected instead.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from tests.support import recordings
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, Message, Reader
from tests.support.recordings import Recording
from tests.support.replay import Replay

RECORDINGS = recordings.load_all()
BY_NAME = {recording.name: recording for recording in RECORDINGS}

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "via", "te", "upgrade", "proxy-connection", "trailer"}

# The body demands a rerank with a flag that is no boolean: refused before anything is sent upstream.
BAD_DEMANDS = {
    "09-search-unknown-body-fields": "`rerank` is an object",
    "27-query-unknown-body-fields": "`rerank` is an object",
    "30-query-document-unknown-options": "`rerank` in the options of the Document is an object",
    "233-inf-query-document-usage": "`rerank` in the options of the Document is an object",
}
# The body demands a rerank and has no text to judge by: refused in the same way.
DEMANDS_WITHOUT_QUERY = {
    "19-search-unknown-in-params": "`rerank` in params is true",
    "23-search-batch": "`use_reranker` of one of its searches is true",
    "46-recommend": "`use_reranker` is true",
}
# A parameter wishes for a rerank that there is no query text for: the answer only gains headers.
WISHES = {"10-search-unknown-query-param": "?rerank=true"}
# No message that an intermediary may pass on: refused, and the upstream sees nothing.
REFUSED = {
    "144-smuggle-cl-te": 400,
    "146-bad-request-line": 400,
    "147-slow-incomplete-header": 408,
    "148-header-too-large": 431,
}
# HTTP/1.1 without Host: RFC 9112 asks every recipient to refuse it, the server is lenient.
WITHOUT_HOST = "145-no-host"

SPECIAL = {*BAD_DEMANDS, *DEMANDS_WITHOUT_QUERY, *WISHES, *REFUSED, WITHOUT_HOST}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Replay]:
    with Replay() as replay:
        yield replay


@pytest.fixture(scope="module")
def through(upstream: Replay) -> Iterator[Qrerank]:
    with Qrerank(upstream.url, settings={"proxy.header_timeout": "1s"}) as process:
        yield process


def ask(through: Qrerank, recording: Recording) -> list[Message]:
    """Sends the recorded bytes and reads as many final responses as the server gave."""
    with socket.create_connection(through.address, timeout=LIMIT_S) as client:
        try:
            client.sendall(recording.request)
        except ConnectionError:
            pass  # refused before everything was sent
        reader = Reader(client)
        answers = []
        wanted = [one for one in recording.responses if not one.start.startswith("HTTP/1.1 1")]
        requests = recording.requests
        while len(answers) < len(wanted):
            method = requests[min(len(answers), len(requests) - 1)].start.split(" ")[0]
            head = reader.head()
            if head.split(b" ")[1].startswith(b"1"):
                continue
            reader.rest = head + reader.rest
            answers.append(reader.message(bodyless=method == "HEAD"))
        return answers


def end_to_end(message: Message) -> list[str]:
    return [line for line in message.lines[1:] if line.partition(":")[0].lower() not in HOP_BY_HOP]


def expected_end_to_end(message: recordings.Message, chunked: bool) -> list[str]:
    dropped = HOP_BY_HOP | ({"content-length"} if chunked else set())
    return [f"{name}: {value}" for name, value in message.headers if name.lower() not in dropped]


def decoded(message: recordings.Message) -> bytes:
    return recordings.dechunk(message.body) if message.header("transfer-encoding") else message.body


def assert_as_recorded(answers: list[Message], recording: Recording) -> None:
    wanted = [one for one in recording.responses if not one.start.startswith("HTTP/1.1 1")]
    for given, recorded in zip(answers, wanted, strict=True):
        # The version is that of the connection, the rest of the status line is the server's.
        assert given.first.split(" ", 1)[1] == recorded.start.split(" ", 1)[1]
        assert end_to_end(given) == expected_end_to_end(recorded, chunked=False)
        assert given.body == decoded(recorded)


def assert_request_untouched(upstream: Replay, recording: Recording) -> None:
    for received, sent in zip(upstream.received, recording.requests, strict=True):
        method, target, _ = sent.start.split(" ")
        given_method, given_target, _ = received.first.split(" ")
        assert given_method == method
        # The absolute form names the proxy; what follows the authority is the path as it came.
        assert given_target == target or target.endswith(given_target)
        dropped = HOP_BY_HOP | {"expect", "content-length", "host"}
        names = [(name, value) for name, value in sent.headers if name.lower() not in dropped]
        given = [tuple(line.split(": ", 1)) for line in received.lines[1:]]
        assert [pair for pair in given if pair[0].lower() not in dropped | {"via"}] == names
        if sent.header("host") is not None:
            assert received.one("host") is not None
        assert received.body == decoded(sent)


PLAIN = [recording for recording in RECORDINGS if recording.name not in SPECIAL]


@pytest.mark.parametrize("recording", PLAIN, ids=lambda one: one.name)
def test_recorded_exchange_passes(recording: Recording, upstream: Replay, through: Qrerank) -> None:
    upstream.play(recording)
    answers = ask(through, recording)
    assert_as_recorded(answers, recording)
    assert_request_untouched(upstream, recording)


@pytest.mark.parametrize("name", BAD_DEMANDS)
def test_flag_of_a_wrong_type_is_refused(name: str, upstream: Replay, through: Qrerank) -> None:
    upstream.play(BY_NAME[name])
    (answer,) = ask(through, BY_NAME[name])
    assert answer.status == 400
    body = json.loads(answer.body)
    assert "rerank" in body["status"]["error"]
    assert "result" not in body and "time" in body
    assert upstream.received == []


@pytest.mark.parametrize("name", DEMANDS_WITHOUT_QUERY)
def test_demand_without_a_query_text_is_refused(name: str, upstream: Replay, through: Qrerank) -> None:
    upstream.play(BY_NAME[name])
    (answer,) = ask(through, BY_NAME[name])
    assert answer.status == 400
    assert "rerank_query" in json.loads(answer.body)["status"]["error"]
    assert upstream.received == []


@pytest.mark.parametrize("name", WISHES)
def test_wish_without_a_query_text_only_gains_headers(name: str, upstream: Replay, through: Qrerank) -> None:
    recording = BY_NAME[name]
    upstream.play(recording)
    (answer,) = ask(through, recording)
    assert answer.first.endswith("200 OK")
    assert (answer.one("x-reranking-used"), answer.one("x-reranking-reason")) == ("false", "no_query")
    ours = [line for line in end_to_end(answer) if not line.lower().startswith("x-rerank")]
    assert ours == expected_end_to_end(recording.final, chunked=False)
    assert answer.body == recording.final.body
    assert upstream.received[0].body == recording.requests[0].body


@pytest.mark.parametrize("name", REFUSED)
def test_ambiguous_or_endless_message_is_refused(name: str, upstream: Replay, through: Qrerank) -> None:
    upstream.play(BY_NAME[name])
    (answer,) = ask(through, BY_NAME[name])
    assert answer.status == REFUSED[name]
    assert upstream.received == []


def test_missing_host_is_refused_or_passed_whole(upstream: Replay, through: Qrerank) -> None:
    upstream.play(BY_NAME[WITHOUT_HOST])
    (answer,) = ask(through, BY_NAME[WITHOUT_HOST])
    if answer.status == 400:
        assert upstream.received == []
    else:
        assert_as_recorded([answer], BY_NAME[WITHOUT_HOST])


def test_every_recording_has_its_place() -> None:
    assert len(RECORDINGS) == 201
    assert SPECIAL <= set(BY_NAME)
    assert len(PLAIN) + len(SPECIAL) == len(RECORDINGS)


def test_compressed_answer_is_not_touched(upstream: Replay, through: Qrerank) -> None:
    recording = BY_NAME["83-gzip-response"]
    upstream.play(recording)
    (answer,) = ask(through, recording)
    assert answer.one("content-encoding") == "gzip"
    assert answer.body == recordings.dechunk(recording.final.body)
    assert upstream.received[0].one("accept-encoding") == "gzip"


def test_credentials_reach_the_upstream_as_they_came(upstream: Replay, through: Qrerank) -> None:
    recording = BY_NAME["210-auth-both-bad-apikey-good-bearer"]
    upstream.play(recording)
    (answer,) = ask(through, recording)
    assert answer.status == 401
    assert upstream.received[0].one("api-key") == "bad"
    assert upstream.received[0].one("authorization") == "Bearer rw-secret"
