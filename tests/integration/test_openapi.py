"""docs/openapi.yaml: a valid document, true of the program's own tables, and true of what a running proxy answers."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration import library

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "openapi.yaml"
EXAMPLES = 20
# Of the settings under `rerank.` those that are no options of a search.
NO_OPTIONS = {"default_model", "max_top_k", "max_query_chars"}

load_all_checks()
schema = schemathesis.openapi.from_path(PAGE)


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    return yaml.safe_load(PAGE.read_text())


@pytest.fixture(scope="module")
def collection(qdrant) -> str:
    return library.fill(qdrant, "openapi")


def test_document_is_valid(page):
    OpenAPIV31SpecValidator(page).validate()


def documented_settings() -> dict[str, str]:
    """Options that the configuration knows, with their sentences: docs/configuration.md is generated from the table."""
    rows = re.findall(r"^\| `rerank\.(\w+)` \|.*\| ([^|]+) \|$", (DOCS / "configuration.md").read_text(), re.M)
    found = {name: sentence for name, sentence in rows if name not in NO_OPTIONS}
    assert len(found) >= 8
    return found


def test_options_are_those_of_the_program(page):
    parameters = page["components"]["parameters"]
    fields = page["components"]["schemas"]["Options"]["properties"]
    names = {f"rerank_{name}" for name in documented_settings()} | {"use_reranker", "rerank_query"}
    assert {name for name, one in parameters.items() if one["in"] == "query"} - {"timeout", "consistency"} == names
    headers = {"X-Rerank"} | {"X-" + name.replace("_", "-").title() for name in names - {"use_reranker"}}
    assert {name for name, one in parameters.items() if one["in"] == "header"} == headers
    assert set(fields) == names | {"rerank"}
    for name, sentence in documented_settings().items():
        assert fields[f"rerank_{name}"]["description"] == sentence
        assert parameters[f"rerank_{name}"]["description"] == sentence
    for operation in (path["post"] for name, path in page["paths"].items() if name.startswith("/collections")):
        referred = {one["$ref"].rpartition("/")[2] for one in operation["parameters"]}
        assert referred == set(parameters)


def test_paths_are_those_of_the_program(page, proxy):
    said = httpx.get(f"http://{proxy.admin}/no-such-page").json()["error"]
    own = {path for path in page["paths"] if not path.startswith("/collections")}
    assert {re.match(r"/[\w-]+", path)[0] for path in own} == set(re.findall(r"/[\w-]+", said))
    assert {path for path in own if path.count("/") > 1} == {f"/models/{{model_name}}{end}" for end in ("", "/load", "/unload")}
    searches = {path.partition("/points/")[2] for path in page["paths"] if path.startswith("/collections")}
    assert searches == {
        f"{kind}{many}" for kind in ("search", "query", "recommend", "discover") for many in ("", "/batch", "/groups")
    } - {"discover/groups"}


ANSWERED: dict[str, Counter[int]] = {}


def documented_failure(response: schemathesis.Response) -> bool:
    """Nothing is wrong with upstream or model here: what is left is Qdrant's own word on a model that it does not serve,
    and a time limit that the request set too low for a busy machine, where it asked for an error."""
    reason = (response.headers.get("x-reranking-reason") or [""])[0]
    return (response.status_code, reason) == (503, "timeout") or (
        response.status_code == 500 and "InferenceService URL not configured" in response.text
    )


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_those_documented(case, qdrant, proxy, collection):
    """No status that is not written down for the operation, so no 5xx but the documented ones; and their shapes."""
    if "collection_name" in (case.path_parameters or {}):
        case.path_parameters["collection_name"] = collection
    url = proxy.url if case.path.startswith("/collections") else f"http://{proxy.admin}"
    response = case.call(base_url=url, headers=qdrant.headers, timeout=60)
    case.validate_response(
        response,
        checks=(
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
            response_headers_conformance,
        ),
    )
    if response.status_code >= 500:
        assert documented_failure(response), (response.status_code, response.text)
    ANSWERED.setdefault(case.path, Counter())[response.status_code] += 1


def test_every_search_was_answered_and_refused(page):
    """The run above reached what it is about: each search succeeded and was refused at least once."""
    for path in page["paths"]:
        if path.startswith("/collections"):
            assert {200, 400} <= set(ANSWERED.get(path, ())), path
    print(f"\nschemathesis: {sum(ANSWERED.values(), Counter())}")
