"""Random searches against the contract written down as a slow program (`contract/model.py`): every answer is compared.

QRERANK_CONTRACT_REQUESTS says how many (a few hundred are part of every run), QRERANK_CONTRACT_SEED which.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.integration.contract import generated
from tests.integration.contract.model import Group, Hit, Passed, Refused, Request, Result, results_of
from tests.integration.searching import Answer
from tests.support import raw_json

pytestmark = pytest.mark.sanitize

REQUESTS = int(os.environ.get("QRERANK_CONTRACT_REQUESTS", "300"))
SEED = int(os.environ.get("QRERANK_CONTRACT_SEED", "1"))
SCORES = ("score", "vector_score", "rerank_score")


@pytest.fixture(scope="module")
def contract(qdrant) -> str:
    return generated.fill(qdrant, SEED)


def sent(client: httpx.Client, collection: str, request: Request) -> Answer:
    return Answer(
        client.post(
            f"/collections/{collection}/points/{request.path}", json=request.body, headers=request.headers, params=request.parameters or None
        )
    )


def same_vectors(one: str, other: str) -> bool:
    """Named vectors are a hash map in the server: their order is not its word."""
    return one == other or (one[0] == other[0] == "{" and raw_json.members(one) == raw_json.members(other))


def check_point(point: dict[str, str], hit: Hit) -> None:
    rest = {name: value for name, value in point.items() if name not in SCORES}
    vectors = rest.pop("vector", "[]"), hit.members.get("vector", "[]")
    assert rest == {name: value for name, value in hit.members.items() if name != "vector"}
    assert same_vectors(*vectors)
    assert point["vector_score"] == hit.own_score
    if hit.score is None:
        assert point["score"] == hit.own_score and "rerank_score" not in point
    else:
        assert float(point["score"]) == pytest.approx(hit.score, rel=1e-9)
        assert float(point["rerank_score"]) == pytest.approx(hit.rerank_score, rel=1e-12)


def check_points(points: list[str], hits: list[Hit]) -> None:
    found = [raw_json.members(point) for point in points]
    assert [point["id"] for point in found] == [hit.members["id"] for hit in hits]
    for point, hit in zip(found, hits):
        check_point(point, hit)


def check_groups(groups: list[str], expected: list[Group]) -> None:
    found = [raw_json.members(group) for group in groups]
    assert [group["id"] for group in found] == [group.members["id"] for group in expected]
    for group, other in zip(found, expected):
        check_points(raw_json.elements(group.pop("hits")), other.hits)
        assert group == other.members


def check_result(raw: str, expected: Result) -> None:
    if expected.raw is not None:
        assert raw == expected.raw or json.loads(raw) == json.loads(expected.raw) and "vector" in raw
        return
    listed = raw_json.members(raw) if raw.startswith("{") else {"points": raw}
    if expected.groups is not None:
        check_groups(raw_json.elements(listed["groups"]), expected.groups)
    else:
        check_points(raw_json.elements(listed["points"]), expected.hits)


def has_model(result: Result) -> bool:
    """A model was chosen: for each search that was planned."""
    return result.used or result.reason not in (None, "no_query")


def check_report(members: dict[str, str], expected: Result, model: bool) -> None:
    assert members["reranking_used"] == ("true" if expected.used else "false")
    assert members.get("reranking_reason") == (f'"{expected.reason}"' if expected.reason else None)
    assert members.get("reranking_candidates") == (str(expected.candidates) if expected.used else None)
    assert ("reranking_time_ms" in members) == expected.used
    assert ("reranker_model" in members) == model


def of_all(results: list[Result]) -> Result:
    used = any(one.used for one in results)
    reason = None if used else next((one.reason for one in results if one.reason), None)
    return Result(used=used, reason=reason, candidates=sum(one.candidates for one in results))


def check(answer: Answer, own: httpx.Response, request: Request, expected: list[Result] | Refused | Passed) -> str:
    """What kind of answer it was."""
    if isinstance(expected, Refused):
        assert answer.status == 400 and "use_reranker" in answer.error
        return "refused"
    if isinstance(expected, Passed):
        assert answer.status == own.status_code
        assert {k: v for k, v in json.loads(answer.text).items() if k != "time"} == {k: v for k, v in own.json().items() if k != "time"}
        told = (answer.header("x-reranking-used"), answer.header("x-reranking-reason"))
        assert told == (("false", "no_query") if expected.wish and answer.status == 200 else (None, None))
        return "wish" if expected.wish else "passed"
    assert answer.status == 200, answer.text
    if request.batch:
        reports = [raw_json.members(one) for one in raw_json.elements(answer.top["reranking"])]
        raws = raw_json.elements(answer.result)
        assert len(reports) == len(raws) == len(expected)
        for report, one in zip(reports, expected):
            check_report(report, one, has_model(one))
    else:
        raws = [answer.result]
    for raw, one in zip(raws, expected):
        check_result(raw, one)
    whole = of_all(expected)
    check_report(answer.top, whole, any(has_model(one) for one in expected))
    assert answer.header("x-reranking-used") == ("true" if whole.used else "false")
    assert answer.header("x-reranking-reason") == whole.reason
    assert answer.header("x-reranking-candidates") == (str(whole.candidates) if whole.used else None)
    return "reranked" if whole.used else "fallback"


def test_random_searches_keep_the_contract(through, direct, contract):
    rng = random.Random(SEED)
    kinds: Counter[str] = Counter()

    def ask(path: str, body: dict[str, Any]) -> str:
        response = direct.post(f"/collections/{contract}/points/{path}", json=body)
        assert response.status_code == 200, f"the generator made what the upstream refuses: {response.text}"
        return raw_json.members(response.text)["result"]

    for at in range(REQUESTS):
        request = generated.request(rng)
        told = f"request {at} of seed {SEED}: {request}"
        expected = results_of(request, ask)
        answer = sent(through, contract, request)
        own = direct.post(f"/collections/{contract}/points/{request.path}", json=request.body) if isinstance(expected, Passed) else None
        try:
            kinds[check(answer, own, request, expected)] += 1
        except AssertionError as error:
            raise AssertionError(f"{told}\n{error}\nexpected {expected}\ngot {answer.text}") from error
    # The generator reaches every kind of answer, most of all the reranked.
    assert set(kinds) == {"reranked", "fallback", "passed", "wish", "refused"}, kinds
    assert kinds["reranked"] > REQUESTS / 3, kinds
