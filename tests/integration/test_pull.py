"""`qrerank pull` against a small fake hub: redirects, ranges, cut-offs, hashes, tokens."""

import fcntl
import hashlib
import json
import os
import pathlib
import subprocess

import pytest

from tests.support.fake_hub import NAME, TOKEN, Hub
from tests.support.qrerank_process import program

pytestmark = pytest.mark.sanitize


@pytest.fixture
def hub():
    hub = Hub()
    yield hub
    hub.stop()


@pytest.fixture
def pull(hub, tmp_path):
    def run(*arguments: str, name: str = NAME, **environment: str) -> subprocess.CompletedProcess:
        clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.startswith("HF_")}
        return subprocess.run(
            [program(), "pull", name, "--to", str(tmp_path / "model"), *arguments],
            env={**clean, "HF_ENDPOINT": hub.hub.url, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    run.folder = tmp_path / "model"
    return run


def check_whole(hub: Hub, folder: pathlib.Path):
    wanted = {k: v for k, v in hub.small.items() if k != "README.md"} | hub.weights
    assert {p.name for p in folder.iterdir()} == set(wanted) | {"qrerank.json"}
    for name, body in wanted.items():
        assert (folder / name).read_bytes() == body, name
    manifest = json.loads((folder / "qrerank.json").read_text())
    assert manifest == {
        "hub": NAME,
        "revision": hub.commit,
        "files": {n: {"sha256": hashlib.sha256(b).hexdigest(), "bytes": len(b)} for n, b in wanted.items()},
    }


def test_pull_and_verify(hub, pull):
    first = pull()
    assert first.returncode == 0, first.stderr
    check_whole(hub, pull.folder)
    hub.store.seen.clear()
    second = pull()
    assert second.returncode == 0, second.stderr
    assert "up to date" in second.stdout
    assert hub.store.seen == []


def test_damaged_file_comes_again(hub, pull):
    assert pull().returncode == 0
    (pull.folder / "config.json").write_bytes(b'{"architectures":["Y"]}')
    again = pull()
    assert again.returncode == 0, again.stderr
    assert "downloading config.json" in again.stdout and "model.safetensors (" not in again.stdout
    check_whole(hub, pull.folder)


def test_new_revision_replaces_and_removes(hub, pull):
    assert pull().returncode == 0
    hub.commit = "f" * 40
    body = hub.weights.pop("model.safetensors")
    hub.weights["model-00001-of-00001.safetensors"] = body
    hub.small["model.safetensors.index.json"] = b'{"weight_map":{}}'
    again = pull()
    assert again.returncode == 0, again.stderr
    check_whole(hub, pull.folder)


def test_cut_off_resumes_where_it_stopped(hub, pull):
    body = hub.weights["model.safetensors"]
    hub.store_faults = [lambda request: request.cut_off_after(body, 100_000)]
    done = pull()
    assert done.returncode == 0, done.stderr
    assert [headers.get("range") for _, headers in hub.store.seen] == [None, "bytes=100000-"]
    check_whole(hub, pull.folder)


def test_part_of_an_earlier_run_is_used(hub, pull):
    body = hub.weights["model.safetensors"]
    hub.store_faults = [lambda request: request.cut_off_after(body, 100_000)]
    failed = pull("--retries", "0")
    assert failed.returncode == 1
    assert (pull.folder / "model.safetensors.part").stat().st_size == 100_000
    assert not (pull.folder / "qrerank.json").exists()
    done = pull()
    assert done.returncode == 0, done.stderr
    assert "resuming model.safetensors" in done.stdout
    assert hub.store.seen[-1][1]["range"] == "bytes=100000-"
    check_whole(hub, pull.folder)


def test_server_without_ranges_starts_over(hub, pull):
    hub.ranges = False
    pull.folder.mkdir()
    (pull.folder / "model.safetensors.part").write_bytes(b"x" * 1000)
    done = pull()
    assert done.returncode == 0, done.stderr
    check_whole(hub, pull.folder)


def test_wrong_range_is_refused(hub, pull):
    pull.folder.mkdir()
    (pull.folder / "model.safetensors.part").write_bytes(b"x" * 1000)
    body = hub.weights["model.safetensors"]
    hub.store_faults = [
        lambda request: request.answer(206, body[500:], content_range=f"bytes 500-{len(body) - 1}/{len(body)}")
    ]
    failed = pull()
    assert failed.returncode == 1 and "another range" in failed.stderr


def test_range_not_satisfiable_starts_over(hub, pull):
    pull.folder.mkdir()
    (pull.folder / "model.safetensors.part").write_bytes(b"x" * 1000)
    hub.store_faults = [lambda request: request.answer(416)]
    done = pull()
    assert done.returncode == 0, done.stderr
    assert [headers.get("range") for _, headers in hub.store.seen] == ["bytes=1000-", None]
    check_whole(hub, pull.folder)


def test_too_long_part_starts_over(hub, pull):
    pull.folder.mkdir()
    (pull.folder / "model.safetensors.part").write_bytes(b"x" * 400_000)
    done = pull()
    assert done.returncode == 0, done.stderr
    check_whole(hub, pull.folder)


@pytest.mark.parametrize("where", ["weights", "small"])
def test_wrong_hash_is_refused_and_removed(hub, pull, where):
    right = hub.listing()
    files = getattr(hub, where)
    name = "model.safetensors" if where == "weights" else "config.json"
    files[name] = files[name][:-1] + b"?"
    hub.listing = lambda: right
    failed = pull()
    assert failed.returncode == 1
    assert f"{name}: what arrived has another hash" in failed.stderr
    assert not (pull.folder / name).exists() and not (pull.folder / f"{name}.part").exists()
    assert not (pull.folder / "qrerank.json").exists()


def test_more_than_announced_is_refused(hub, pull):
    hub.store_faults = [lambda request: request.answer(200, b"x" * 400_000)]
    failed = pull()
    assert failed.returncode == 1 and "more than it announced" in failed.stderr


def test_5xx_and_429_are_tried_again(hub, pull):
    hub.listing_faults = [lambda request: request.answer(503)]
    hub.store_faults = [lambda request: request.answer(429, retry_after="1")]
    done = pull()
    assert done.returncode == 0, done.stderr
    check_whole(hub, pull.folder)


def test_5xx_for_good_is_told(hub, pull):
    hub.listing_faults = [lambda request: request.answer(500)] * 2
    failed = pull("--retries", "1")
    assert failed.returncode == 1 and "the server answered 500" in failed.stderr
    assert len(hub.hub.seen) == 2


def test_unknown_model_is_404(hub, pull):
    failed = pull(name="owner/nothing")
    assert failed.returncode == 1
    assert "404: no such model, revision or file" in failed.stderr
    assert len(hub.hub.seen) == 1  # asking again would not help
    assert not pull.folder.exists()


def test_private_model_needs_the_token(hub, pull):
    hub.needs_token = True
    without = pull()
    assert without.returncode == 1 and "HF_TOKEN" in without.stderr
    wrong = pull(HF_TOKEN="hf_wrong")
    assert wrong.returncode == 1 and "hf_wrong" not in wrong.stdout + wrong.stderr
    done = pull(HF_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    check_whole(hub, pull.folder)


def test_token_goes_to_the_hub_only(hub, pull):
    assert pull(HF_TOKEN=TOKEN).returncode == 0
    assert hub.hub.seen and hub.store.seen
    assert all(headers.get("authorization") == f"Bearer {TOKEN}" for _, headers in hub.hub.seen)
    for path, headers in hub.store.seen:
        assert TOKEN not in path and TOKEN not in json.dumps(headers)


@pytest.mark.parametrize("name", ["../evil.safetensors", "/etc/evil", "a/../../b", "a\\b"])
def test_unsafe_names_download_nothing(hub, pull, name):
    hub.small[name] = b"x"
    failed = pull()
    assert failed.returncode == 1 and "unsafe name" in failed.stderr
    assert not pull.folder.exists()
    assert len(hub.hub.seen) == 1


def test_redirects_off_this_machine_over_plain_http_are_refused(hub, pull):
    hub.store_faults = [lambda request: request.answer(302, location="http://files.example/x")]
    failed = pull()
    assert failed.returncode == 1 and "not https" in failed.stderr


def test_redirect_loops_end(hub, pull):
    hub.store_faults = [lambda request: request.answer(302, location=request.path)] * 20
    failed = pull()
    assert failed.returncode == 1 and "too many redirects" in failed.stderr


def test_another_models_folder_is_left_alone(hub, pull):
    pull.folder.mkdir()
    (pull.folder / "qrerank.json").write_text('{"hub":"other/model","revision":"x","files":{}}')
    failed = pull()
    assert failed.returncode == 1 and "holds other/model" in failed.stderr
    assert [p.name for p in pull.folder.iterdir()] == ["qrerank.json"]


def test_two_pulls_do_not_write_side_by_side(hub, pull):
    pull.folder.mkdir()
    descriptor = os.open(pull.folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        failed = pull()
        assert failed.returncode == 1 and "another pull is writing here" in failed.stderr
    finally:
        os.close(descriptor)


def test_a_part_is_not_written_through_a_link(hub, pull, tmp_path):
    pull.folder.mkdir()
    (tmp_path / "elsewhere").write_bytes(b"")
    (pull.folder / "model.safetensors.part").symlink_to(tmp_path / "elsewhere")
    failed = pull()
    assert failed.returncode == 1
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_full_disk_is_told(hub, pull):
    small = hub.listing()
    for sibling in small["siblings"]:
        if "lfs" in sibling:
            sibling["size"] = 1 << 49
    hub.listing = lambda: small
    failed = pull()
    assert failed.returncode == 1 and "the disk is too full" in failed.stderr


@pytest.mark.parametrize(
    "arguments, environment, told",
    [
        ({"name": "../x"}, {}, "is not a model's name"),
        ({"name": "a/b/c"}, {}, "is not a model's name"),
        ({}, {"HF_ENDPOINT": "http://hub.example"}, "HF_ENDPOINT must be https"),
        ({}, {"HF_TOKEN": "a\r\nX-Evil: 1"}, "HF_TOKEN holds characters"),
    ],
)
def test_bad_usage_starts_nothing(hub, pull, arguments, environment, told):
    failed = pull(**arguments, **environment)
    assert failed.returncode == 2 and told in failed.stderr
    assert hub.hub.seen == []


def test_default_folder_comes_from_the_configuration(hub, tmp_path):
    clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    done = subprocess.run(
        [program(), "pull", NAME, "--set", f"models_folder={tmp_path}/m"],
        env={**clean, "HF_ENDPOINT": hub.hub.url + "/"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    check_whole(hub, tmp_path / "m" / "tiny")
