"""A small Vault: the paths of its PKI engine and of two logins, over real HTTP or HTTPS, and it really signs.

Paths, headers, bodies and answers are those of Vault's API documentation.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support import authorities
from tests.support.authorities import Authority

TOKEN, ROLE_ID, SECRET_ID, JWT = "hvs.test-token", "role-id", "very-secret-id", "jwt-of-the-account"
DENIED: tuple[int, Any] = (403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
SEALED: tuple[int, Any] = (503, {"errors": ["Vault is sealed"]})


@dataclass
class SmallVault:
    """What it signs with, what it was asked, and what it answers instead for once."""

    issuer: Authority
    address: str = ""
    namespace: str | None = None
    path_length: bool = True
    asked: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    instead: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    token: str = TOKEN
    ca: bool = True

    def answer(self, path: str, body: dict[str, Any], headers: Mapping[str, str]) -> tuple[int, Any, dict[str, str]]:
        self.asked.append((path, body, dict(headers)))
        if self.instead:
            return self.instead.pop(0)
        if headers.get("X-Vault-Namespace") != self.namespace:
            return 404, {"errors": ["no handler for route"]}, {}
        logins = {
            "auth/approle/login": {"role_id": ROLE_ID, "secret_id": SECRET_ID},
            "auth/kubernetes/login": {"role": "mesh", "jwt": JWT},
        }
        if path in logins:
            if body != logins[path]:
                return 400, {"errors": [f"invalid role or secret ID {body}"]}, {}
            return 200, {"auth": {"client_token": self.token, "lease_duration": 60}}, {}
        if headers.get("X-Vault-Token") != self.token:
            return (*DENIED, {})
        signs = {"pki/root/sign-intermediate", "pki/issuer/mesh/sign-intermediate", "pki/sign/servers"}
        if path not in signs:
            return 404, {"errors": [f'no handler for route "{path}". route entry not found.']}, {}
        made = self.sign(body, server=path == "pki/sign/servers")
        chain = [one for one in self.issuer.chain.split("-----END CERTIFICATE-----\n") if one]
        data = {
            "certificate": made.public_bytes(authorities.PEM).decode().strip(),
            "issuing_ca": self.issuer.pem.strip(),
            "ca_chain": [f"{one}-----END CERTIFICATE-----" for one in chain],
            "serial_number": ":".join(f"{byte:02x}" for byte in made.serial_number.to_bytes(20, "big")),
            "expiration": int(made.not_valid_after_utc.timestamp()),
        }
        return 200, {"request_id": "…", "lease_id": "", "renewable": False, "data": data, "warnings": None}, {}

    def sign(self, body: Mapping[str, Any], *, server: bool) -> x509.Certificate:
        request = x509.load_pem_x509_csr(body["csr"].encode())
        assert request.is_signature_valid
        now = datetime.now(UTC)
        life = timedelta(hours=int(body["ttl"].removesuffix("h")))
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject if body.get("use_csr_values") or server else x509.Name([]))
            .issuer_name(self.issuer.certificate.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(seconds=30))
            .not_valid_after(now + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(request.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.issuer.private.public_key()), False)
        )
        for extension in request.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        if server:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        else:
            length = body["max_path_length"]
            builder = builder.add_extension(x509.BasicConstraints(self.ca, length if self.ca else None), True)
            builder = builder.add_extension(authorities.usage(crl_sign=True), True)
        return builder.sign(self.issuer.private, hashes.SHA256())


@contextmanager
def running(vault: SmallVault, folder: Path | None = None) -> Iterator[SmallVault]:
    """Serve on the loopback address; with a folder over HTTPS, whose root is left there as `ca.pem`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length) or b"{}")
            status, answer, headers = vault.answer(self.path.removeprefix("/v1/"), body, self.headers)  # type: ignore[arg-type]
            content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            for key, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                **headers,
            }.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scheme = "http"
    if folder is not None:
        scheme = "https"
        server.socket = _context(folder).wrap_socket(server.socket, server_side=True)
    vault.address = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield vault
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _context(folder: Path) -> ssl.SSLContext:
    today = datetime.now(UTC)
    dates = {"begins": today - timedelta(days=1), "ends": today + timedelta(days=30)}
    above = authorities.root(authorities.key(number=20), name="Vault's own", **dates)
    name = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    shape = authorities.Shape("vault", ca=False, usage=None, extra=[(name, False)], **dates)  # type: ignore[arg-type]
    own = authorities.authority(shape, authorities.key(number=21), above)
    for file, text in {"ca.pem": above.pem, "server.pem": own.pem, "server.key": own.key}.items():
        (folder / file).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context
