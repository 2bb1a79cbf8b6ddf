"""gRPC through a relay (`relays`): a grpcio server behind it, grpcio's and Qdrant's own client in front.

There is no gRPC server of Qdrant's here: its Points service is played, with the messages that its client brings along.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from qdrant_client import QdrantClient
from qdrant_client import grpc as messages
from qdrant_client.grpc import points_service_pb2_grpc as points_service

from tests.support.footprint import Footprint
from tests.support.qrerank_process import Qrerank
from tests.support.raw_http import LIMIT_S, FakeUpstream, answering, ok

LARGE = 3 << 20  # under gRPC's 4 MiB
KEY = "a key of the client's own"


class Methods(grpc.GenericRpcHandler):
    """Of bytes: gRPC needs no message types."""

    def __init__(self) -> None:
        self.cancelled, self.waiting, self.go = threading.Event(), threading.Event(), threading.Event()
        self.handlers = {
            "/t.T/Reverse": grpc.unary_unary_rpc_method_handler(lambda request, _: request[::-1]),
            "/t.T/Refuse": grpc.unary_unary_rpc_method_handler(lambda _, context: context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no")),
            "/t.T/Count": grpc.unary_stream_rpc_method_handler(lambda request, _: (b"%d" % n for n in range(int(request)))),
            "/t.T/Echo": grpc.stream_stream_rpc_method_handler(lambda requests, _: requests),
            "/t.T/Wait": grpc.unary_unary_rpc_method_handler(self.wait),
        }

    def wait(self, _: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(self.cancelled.set)
        self.waiting.set()
        assert self.go.wait(LIMIT_S)
        return b"waited"

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return self.handlers.get(details.method)


class Points(points_service.PointsServicer):
    def Query(self, request: messages.QueryPoints, context: grpc.ServicerContext) -> messages.QueryResponse:  # noqa: N802
        assert dict(context.invocation_metadata())["api-key"] == KEY
        hit = messages.ScoredPoint(id=messages.PointId(num=2**63), score=0.5, version=3)
        return messages.QueryResponse(result=[hit] * request.limit, time=0.1)


class Rig:
    def __init__(self, settings: dict[str, object] | None = None) -> None:
        self.methods = Methods()
        self.server = grpc.server(ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((self.methods,))
        points_service.add_PointsServicer_to_server(Points(), self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.http = FakeUpstream(answering(ok(b'{"title":"qdrant - vector search engine","version":"1.19.0"}')))
        relay = {"relays.grpc.listen": "127.0.0.1:0", "relays.grpc.to": f"localhost:{self.port}"}
        self.proxy = Qrerank(f"http://127.0.0.1:{self.http.port}", settings=relay | (settings or {}))

    def __enter__(self) -> "Rig":
        self.server.start()
        self.http.__enter__()
        self.proxy.start()
        self.channel = grpc.insecure_channel(self.proxy.places["relays.grpc"])
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        self.methods.go.set()
        self.channel.close()
        try:
            self.proxy.__exit__(failed)
        finally:
            self.http.__exit__(failed)
            self.server.stop(0).wait(LIMIT_S)

    def call(self, method: str, request: bytes = b"") -> bytes:
        return self.channel.unary_unary(f"/t.T/{method}")(request, timeout=LIMIT_S)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with Rig() as running:
        yield running


def test_unary_calls_small_and_large(rig: Rig):
    for request in (b"", b"hello", bytes(range(256)) * (LARGE // 256)):
        assert rig.call("Reverse", request) == request[::-1]


def test_a_status_comes_through(rig: Rig):
    for method, status in (("Refuse", grpc.StatusCode.FAILED_PRECONDITION), ("Nothing", grpc.StatusCode.UNIMPLEMENTED)):
        with pytest.raises(grpc.RpcError) as failed:
            rig.call(method)
        assert failed.value.code() == status


def test_streams_both_ways(rig: Rig):
    count = rig.channel.unary_stream("/t.T/Count")(b"10000", timeout=LIMIT_S)
    assert list(count) == [b"%d" % n for n in range(10000)]
    pieces = [b"%d" % n * 1000 for n in range(1000)]
    assert list(rig.channel.stream_stream("/t.T/Echo")(iter(pieces), timeout=LIMIT_S)) == pieces


def test_many_calls_at_a_time_share_a_connection(rig: Rig):
    reverse = rig.channel.unary_unary("/t.T/Reverse")
    calls = [reverse.future(b"%d" % n, timeout=LIMIT_S) for n in range(200)]
    assert [call.result() for call in calls] == [(b"%d" % n)[::-1] for n in range(200)]


def test_a_cancelled_call_is_cancelled_at_the_server(rig: Rig):
    call = rig.channel.unary_unary("/t.T/Wait").future(b"", timeout=LIMIT_S)
    assert rig.methods.waiting.wait(LIMIT_S)
    call.cancel()
    assert rig.methods.cancelled.wait(LIMIT_S)
    rig.methods.go.set()


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_qdrants_client_with_both_protocols_through_one_host(rig: Rig):
    rest, grpc_port = rig.proxy.address[1], int(rig.proxy.places["relays.grpc"].rpartition(":")[2])
    client = QdrantClient(
        host="127.0.0.1", port=rest, grpc_port=grpc_port, prefer_grpc=True, api_key=KEY, https=False, timeout=LIMIT_S, check_compatibility=False
    )
    found = client.query_points("c", query=[0.1, 0.2], limit=3).points
    assert [(point.id, point.score, point.version) for point in found] == [(2**63, 0.5, 3)] * 3
    assert client.http.service_api.root().version == "1.19.0"  # REST, whatever is preferred
    client.close()


def test_a_server_that_comes_back_is_found_again():
    with Rig() as rig:
        assert rig.call("Reverse", b"ab") == b"ba"
        before = Footprint(rig.proxy.process.pid)
        rig.server.stop(0).wait(LIMIT_S)
        with pytest.raises(grpc.RpcError) as failed:
            rig.call("Reverse", b"ab")
        assert failed.value.code() == grpc.StatusCode.UNAVAILABLE
        rig.server = grpc.server(ThreadPoolExecutor(2))
        rig.server.add_generic_rpc_handlers((rig.methods,))
        assert rig.server.add_insecure_port(f"127.0.0.1:{rig.port}") == rig.port
        rig.server.start()
        reverse = rig.channel.unary_unary("/t.T/Reverse")
        assert reverse(b"ab", timeout=LIMIT_S, wait_for_ready=True) == b"ba"
        before.settled()


def test_sigterm_lets_a_running_call_end():
    with Rig({"proxy.drain_timeout": "1h"}) as rig:
        call = rig.channel.unary_unary("/t.T/Wait").future(b"", timeout=LIMIT_S)
        assert rig.methods.waiting.wait(LIMIT_S)
        rig.proxy.process.send_signal(signal.SIGTERM)
        rig.proxy.wait_for_log("draining")
        rig.methods.go.set()
        assert call.result() == b"waited"
        rig.channel.close()
        assert rig.proxy.process.wait(LIMIT_S) == 0
