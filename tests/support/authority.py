"""Certificates for tests, made with the openssl command into a folder of the test's own; none is ever committed."""

import dataclasses
import pathlib
import ssl
import subprocess

from tests.support.raw_http import LIMIT_S


def openssl(*arguments: str | pathlib.Path) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr


@dataclasses.dataclass(frozen=True)
class Identity:
    """PEM files: the certificate (with its chain) and its private key."""

    certificate: pathlib.Path
    key: pathlib.Path


class Authority:
    def __init__(self, folder: pathlib.Path, name: str = "authority"):
        self.folder, self.name = folder, name
        self.certificate, self._key = folder / f"{name}.pem", folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.certificate)

    def issue(
        self, name: str, alternatives: str = "DNS:localhost,IP:127.0.0.1", days: int = 30, rsa: bool = False
    ) -> Identity:
        """`days` below 0: expired. `name` names the files, too."""
        made = Identity(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl("req", "-newkey", *kind, "-nodes", "-subj", f"/CN={name}", "-keyout", made.key, "-out", request)
        extensions.write_text(f"subjectAltName={alternatives}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                "-days", str(days), "-extfile", extensions, "-out", made.certificate)
        return made

    def client_context(self, identity: Identity | None = None) -> ssl.SSLContext:
        """Trusts this authority; may show a certificate of its own."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        if identity is not None:
            context.load_cert_chain(identity.certificate, identity.key)
        return context


def server_context(identity: Identity, client_authority: Authority | None = None) -> ssl.SSLContext:
    """For a server; with an authority, it insists on certificates of that one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    if client_authority is not None:
        context.load_verify_locations(client_authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
