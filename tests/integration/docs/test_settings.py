"""Every piece of YAML in the pages is a configuration that the program takes as it stands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.docs.blocks import Block, blocks
from tests.support.authority import Authority
from tests.support.qrerank_process import program

# Of Prometheus, which is not here.
FOREIGN = "scrape_configs:"
PIECES = [piece for piece in blocks("yaml") if not piece.code.startswith(FOREIGN)]
# The files that the pages name, by what they are.
CERTIFICATES, KEYS, AUTHORITIES = ["server.pem", "client.pem"], ["server.key", "client.key"], ["clients.pem", "qdrant-ca.pem"]


@pytest.fixture(scope="module")
def etc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages have in /etc/qrerank."""
    made = tmp_path_factory.mktemp("made")
    authority = Authority(made)
    identity = authority.issue("host")
    folder = tmp_path_factory.mktemp("etc")
    sources = {identity.certificate: CERTIFICATES, identity.key: KEYS, authority.certificate: AUTHORITIES}
    for source, names in sources.items():
        for name in names:
            (folder / name).write_bytes(source.read_bytes())
            (folder / name).chmod(0o600)
    (folder / "admin-token").write_text("a-token-of-a-page-of-the-docs\n")
    (folder / "admin-token").chmod(0o600)
    return folder


@pytest.mark.parametrize("piece", PIECES, ids=[piece.name for piece in PIECES])
def test_piece(piece: Block, etc: Path, tmp_path: Path):
    config = tmp_path / "config.yaml"
    config.write_text(piece.code.replace("/etc/qrerank/", f"{etc}/"))
    config.chmod(0o600)
    done = subprocess.run([program(), "check-config", "--config", config], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
