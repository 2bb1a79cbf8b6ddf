"""Real weights in the running program: which models are in memory, and what a search gets when there is no room.

MiniLM comes from the cache that `scripts/setup --tests` fills, the other from tests/golden. A build without libtorch
has no local models; these tests are for the one that has.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import httpx
import pytest

from tests.integration import library
from tests.integration.searching import post, reranked, without_time
from tests.support.qdrant import Qdrant
from tests.support.qrerank_process import REPOSITORY, Qrerank
from tests.support.raw_http import LIMIT_S
from tests.support.waiting import wait_until

MINILM = Path(os.environ.get("QRERANK_CACHE", REPOSITORY / ".cache")) / "models/ms-marco-MiniLM-L12-v2"
TINY = REPOSITORY / "tests/golden/small/bert"
BEST = "a red fox in the winter forest"


def weight_bytes(folder: Path) -> int:
    """All tensors of the one file, float32 as they are."""
    file = folder / "model.safetensors"
    assert file.exists(), f"{file} is missing: scripts/setup --tests brings it"
    with file.open("rb") as stream:
        (header_bytes,) = struct.unpack("<Q", stream.read(8))
        tensors = json.loads(stream.read(header_bytes))
    floats = [tensor for name, tensor in tensors.items() if name != "__metadata__" and tensor["dtype"] == "F32"]
    return sum(end - begin for begin, end in (tensor["data_offsets"] for tensor in floats))


def config(**of_tiny: object) -> str:
    models = {
        "minilm": {"path": str(MINILM), "dtype": "float32", "device": "cpu"},
        "tiny": {"path": str(TINY), "dtype": "float32", "device": "cpu", **of_tiny},
    }
    return json.dumps({"models": models})  # YAML reads it


def model(proxy: Qrerank, name: str) -> dict[str, object]:
    status = httpx.get(f"http://{proxy.admin}/status", timeout=LIMIT_S).json()
    return next(one for one in status["models"] if one["name"] == name)



def metric(proxy: Qrerank, name: str) -> float:
    text = httpx.get(f"http://{proxy.admin}/metrics", timeout=LIMIT_S).text
    return next(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + " "))


def search(proxy: Qrerank, qdrant: Qdrant, collection: str, name: str, **fields: object):
    body = reranked("query", with_payload=True, rerank_model=name, rerank_timeout_ms=60_000, **fields)
    with proxy.client() as client:
        client.headers.update(qdrant.headers)
        return post(client, collection, "query", body)


def test_two_models_share_the_room_of_one(qdrant: Qdrant, collection: str):
    budget = weight_bytes(MINILM) + weight_bytes(TINY) // 2
    with Qrerank(qdrant.url, config(), {"scoring.memory_budget": budget}) as proxy:
        assert model(proxy, "minilm")["state"] == model(proxy, "tiny")["state"] == "unloaded"
        for name, other in (("minilm", "tiny"), ("tiny", "minilm"), ("minilm", "tiny")):
            answer = search(proxy, qdrant, collection, name)
            assert answer.status == 200, answer.text
            assert answer.top["reranking_used"] == "true", answer.text
            assert json.loads(answer.top["reranker_model"]) == name
            if name == "minilm":
                assert json.loads(answer.points[0]["payload"])["text"] == BEST
            there, gone = model(proxy, name), model(proxy, other)
            assert (there["state"], there["device"], there["replicas"]) == ("ready", "cpu", 1)
            assert there["bytes"] == weight_bytes(MINILM if name == "minilm" else TINY)
            assert (gone["state"], gone["bytes"]) == ("unloaded", 0)
            assert metric(proxy, f'qrerank_model_state{{model="{name}",state="ready"}}') == 1
            assert metric(proxy, f'qrerank_model_state{{model="{other}",state="unloaded"}}') == 1
            assert metric(proxy, f'qrerank_model_bytes{{model="{name}"}}') == there["bytes"]


def test_a_model_without_room_is_refused_and_searches_fall_back(qdrant: Qdrant, collection: str):
    with Qrerank(qdrant.url, config(), {"scoring.memory_budget": "1MiB"}) as proxy:
        answer = search(proxy, qdrant, collection, "minilm")
        assert answer.status == 200
        assert answer.top["reranking_used"] == "false"
        assert json.loads(answer.top["reranking_reason"]) == "out_of_memory"
        with qdrant.client() as direct:
            body = {"query": library.NORTH, "limit": library.COUNT, "with_payload": True}
            assert answer.result == without_time(post(direct, collection, "query", body))["result"]
        refused = search(proxy, qdrant, collection, "minilm", rerank_on_error="error")
        assert refused.status == 507
        assert "out_of_memory" in refused.error
        failed = model(proxy, "minilm")
        assert failed["state"] == "failed"
        assert "MiB needed on cpu, where 0.0 MiB of 1.0 MiB are taken" in failed["detail"]
        # Another that does fit is served meanwhile.
        assert search(proxy, qdrant, collection, "tiny").top["reranking_used"] == "true"


def test_preloaded_replicas_score_alike_and_leave_when_idle(qdrant: Qdrant, collection: str):
    with Qrerank(qdrant.url, config(), {"scoring.cache_bytes": 0}) as one:
        alone = search(one, qdrant, collection, "tiny")
    with Qrerank(qdrant.url, config(preload=True, replicas=2), {"scoring.cache_bytes": 0}) as proxy:
        wait_until(lambda: model(proxy, "tiny")["state"] == "ready")
        there = model(proxy, "tiny")
        assert there["replicas"] == 2
        assert there["bytes"] == 2 * weight_bytes(TINY)
        for _ in range(4):
            answer = search(proxy, qdrant, collection, "tiny")
            assert answer.ids == alone.ids
            for mine, its in zip(answer.points, alone.points):  # one thread or two add up in another order
                assert float(mine["score"]) == pytest.approx(float(its["score"]), abs=1e-5)
        wait_until(lambda: model(proxy, "tiny")["idle_seconds"] is not None)
    with Qrerank(qdrant.url, config(preload=True, idle_unload="1ms")) as proxy:
        # It comes and goes; each search finds it or brings it back.
        for _ in range(3):
            assert search(proxy, qdrant, collection, "tiny").top["reranking_used"] == "true"
            wait_until(lambda: model(proxy, "tiny")["state"] == "unloaded")


def order(proxy: Qrerank, name: str, what: str) -> httpx.Response:
    return httpx.post(f"http://{proxy.admin}/models/{name}/{what}", timeout=LIMIT_S)


def test_models_are_loaded_and_unloaded_by_order(qdrant: Qdrant, collection: str):
    with Qrerank(qdrant.url, config()) as proxy:
        listed = httpx.get(f"http://{proxy.admin}/models", timeout=LIMIT_S).json()["models"]
        assert {one["name"]: one["state"] for one in listed} == {"mock": "ready", "minilm": "unloaded", "tiny": "unloaded"}
        assert order(proxy, "tiny", "unload").status_code == 200, "it is not there"
        loading = order(proxy, "tiny", "load")
        assert loading.status_code in (200, 202) and loading.json()["name"] == "tiny", loading.text
        wait_until(lambda: model(proxy, "tiny")["state"] == "ready")
        again = order(proxy, "tiny", "load")
        assert (again.status_code, again.json()["bytes"]) == (200, weight_bytes(TINY))
        assert order(proxy, "tiny", "unload").status_code in (200, 202)
        wait_until(lambda: model(proxy, "tiny")["state"] == "unloaded")
        assert search(proxy, qdrant, collection, "tiny").top["reranking_used"] == "true", "the search loads it again"
        for name, what, status in (("nobody", "load", 404), ("mock", "load", 409), ("mock", "unload", 409), ("tiny", "drop", 404)):
            refused = order(proxy, name, what)
            assert (refused.status_code, list(refused.json())) == (status, ["error"]), refused.text


def enlarged(folder: Path, rows: int) -> Path:
    """The small model with a table of words of so many rows, nearly all of them zeros that take no room on the disk."""
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        if (TINY / name).exists():
            (folder / name).write_bytes((TINY / name).read_bytes())
    settings = json.loads((TINY / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"vocab_size": rows}))
    whole = (TINY / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    header, data = json.loads(whole[8 : 8 + length]), whole[8 + length :]
    table = header.pop("bert.embeddings.word_embeddings.weight")
    header.pop("__metadata__", None)
    begin, end = table["data_offsets"]
    data = data[:begin] + data[end:]
    for tensor in header.values():
        tensor["data_offsets"] = [at - (end - begin if at >= end else 0) for at in tensor["data_offsets"]]
    columns = settings["hidden_size"]
    table |= {"shape": [rows, columns], "data_offsets": [len(data), len(data) + rows * columns * 4]}
    text = json.dumps(header | {"bert.embeddings.word_embeddings.weight": table}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
        file.truncate(8 + len(text) + table["data_offsets"][1])
    return folder


def test_a_load_under_way_tells_how_far_it_is(qdrant: Qdrant, tmp_path: Path):
    large = enlarged(tmp_path / "large", 2_000_000)
    total = weight_bytes(large)
    with Qrerank(qdrant.url, config(path=str(large), dtype="int8")) as proxy, httpx.Client(timeout=LIMIT_S) as client:
        seen: list[tuple[int, int]] = []
        for _ in range(20):  # where a machine is too busy to look in between, again
            assert "load_total" not in model(proxy, "tiny")
            assert order(proxy, "tiny", "load").status_code in (200, 202)
            while (state := client.get(f"http://{proxy.admin}/models/tiny").json())["state"] == "loading":
                seen += [(state["load_read"], state["load_total"])] if "load_read" in state else []
            assert state["state"] == "ready" and "load_read" not in state and "load_total" not in state, state
            if any(0 < read < total for read, _ in seen):
                break
            seen.clear()
            order(proxy, "tiny", "unload")
            wait_until(lambda: model(proxy, "tiny")["state"] == "unloaded")
        assert {of for _, of in seen} == {total}
        reads = [read for read, _ in seen]
        assert reads == sorted(reads) and any(0 < read < total for read in reads)


def test_a_load_that_fails_tells_why_and_is_tried_again_by_order(qdrant: Qdrant, tmp_path: Path):
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in TINY.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    whole = (TINY / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(whole[:-100])
    with Qrerank(qdrant.url, config(path=str(broken))) as proxy:
        assert order(proxy, "tiny", "load").status_code == 202
        wait_until(lambda: model(proxy, "tiny")["state"] == "failed")
        assert str(broken / "model.safetensors") in model(proxy, "tiny")["detail"]
        (broken / "model.safetensors").write_bytes(whole)
        assert order(proxy, "tiny", "load").status_code in (200, 202), "no back-off for an order"
        wait_until(lambda: model(proxy, "tiny")["state"] == "ready")


def test_a_reload_replaces_a_model(qdrant: Qdrant, collection: str):
    with Qrerank(qdrant.url, config()) as proxy:
        first = search(proxy, qdrant, collection, "tiny")
        assert first.top["reranking_used"] == "true", first.text
        before = model(proxy, "tiny")
        assert (before["state"], before["dtype"]) == ("ready", "float32")
        proxy.reload(config(dtype="bfloat16"))
        assert model(proxy, "tiny")["state"] == "unloaded", "the new one is not asked for yet"
        assert search(proxy, qdrant, collection, "tiny").top["reranking_used"] == "true"
        assert model(proxy, "tiny")["dtype"] == "bfloat16"
        proxy.reload(config(dtype="bfloat16", preload=True))  # the same model: it stays
        assert model(proxy, "tiny")["state"] == "ready"
