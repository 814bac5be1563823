"""Clusters that somebody only pretends: HTTPS servers that answer as API servers would about the facts of a test.

They stand in for API servers, and their answers about a pod's port for an istiod behind the API server's proxy, which
no lab without pods can have. They check nothing and authenticate nobody.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mesh_components.topology.plan import ClusterPlan
from meshctl.check.asking import SYNC_METRIC, paths
from meshctl.check.facts import Part
from tests.support import authorities
from tests.support.authorities import SERVER, Shape
from tests.support.mesh_authority import BEGIN, END
from tests.support.mesh_facts import ROOT, Made

EVERYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


@dataclass(frozen=True)
class Temper:
    """How a cluster answers."""

    seconds: float = 0.0
    """Before each answer."""
    silent: bool = False
    """True: it takes connections and never says a word."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, context: ssl.SSLContext, temper: Temper) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.context, self.temper = context, temper
        self.answers: dict[str, Any] = {}
        self.ended = threading.Event()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """TLS in the connection's own thread, so that nobody waits for somebody else's."""
        if self.temper.silent:
            self.ended.wait()
            return
        try:
            with self.context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:  # the other side has gone
            return

    def end(self) -> None:
        """Stop, and let go of those that were never answered."""
        self.shutdown()
        self.ended.set()
        self.server_close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        found = self.server.answers.get(urlsplit(self.path).path)
        self._answer(404 if found is None else 200, found or {"kind": "Status", "message": "not found"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(201, {"status": {"resourceRules": [EVERYTHING]}})

    def _answer(self, status: int, body: Any) -> None:
        time.sleep(self.server.temper.seconds)
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def pretended(made: Made, folder: Path, tempers: Mapping[str, Temper] | None = None) -> Iterator[dict[str, str]]:
    """Serve the clusters of a mesh. Hands over their kubeconfigs, which are also what peers hold about each other.

    Gateways have no address: nobody listens there.
    """
    authority = _authority()
    context = _context(authority, folder)
    with ExitStack() as stack:
        servers = {}
        for plan in made.topology.clusters:
            servers[plan.name] = _Server(context, (tempers or {}).get(plan.name, Temper()))
            threading.Thread(target=servers[plan.name].serve_forever, daemon=True).start()
            stack.callback(servers[plan.name].end)
        texts = {name: kubeconfig(name, server.url, authority.above.pem) for name, server in servers.items()}
        for plan in made.topology.clusters:
            servers[plan.name].answers = dict(_answers(made, plan, texts))
        yield texts


def kubeconfig(cluster: str, server: str, authority: str) -> str:
    """As a peer would hold it."""
    access = {"server": server, "certificate-authority-data": base64.b64encode(authority.encode()).decode()}
    document = {
        "clusters": [{"name": cluster, "cluster": access}],
        "users": [{"name": cluster, "user": {"token": "t"}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
    }
    return yaml.safe_dump(document)


def _answers(made: Made, plan: ClusterPlan, texts: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    yield "/version", {"gitVersion": "v1.34.2"}
    yield "/api/v1/namespaces/kube-system", {"metadata": {"uid": f"uid-{plan.name}"}}
    pod = {
        "metadata": {"name": "istiod-1", "namespace": ROOT, "labels": {"app": "istiod"}},
        "status": {"containerStatuses": [{"ready": True, "containerID": "containerd://1"}]},
    }
    for part in Part:
        items = made.parts[plan.name][part]
        if part is Part.PODS:
            items = [*items, pod]
        elif part is Part.SECRETS:
            items = [_held(item, texts) for item in items]
        elif part is Part.SERVICES:
            items = [{**item, "status": {}} for item in items]
        for path, _ in paths(part, plan, ROOT):
            yield path, {"items": items}
    states = made.views.get(plan.name, {}).get("istiod-1", {}).items()
    lines = [f'{SYNC_METRIC}{{cluster="{name}",cluster_type="remote",status="{state}"}} 1' for name, state in states]
    yield f"/api/v1/namespaces/{ROOT}/pods/istiod-1:15014/proxy/metrics", "\n".join([*lines, "pilot_info 1", ""])


def _held(item: Mapping[str, Any], texts: Mapping[str, str]) -> Mapping[str, Any]:
    """A remote secret with the address at which its cluster is."""
    data = {
        key: base64.b64encode(texts[key].encode()).decode() if key in texts else value
        for key, value in item["data"].items()
    }
    return {**item, "data": data}


def _authority() -> authorities.Authority:
    """A certificate for 127.0.0.1 under a root, both valid on any day."""
    root = authorities.root(ec.generate_private_key(ec.SECP256R1()), begins=BEGIN, ends=END)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    shape = Shape("server", ca=False, usage=None, purposes=(SERVER,), extra=((names, False),), begins=BEGIN, ends=END)
    return authorities.authority(shape, ec.generate_private_key(ec.SECP256R1()), root)


def _context(authority: authorities.Authority, folder: Path) -> ssl.SSLContext:
    file = folder / "server.pem"
    file.write_text(authority.pem + authority.key)
    file.chmod(0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
