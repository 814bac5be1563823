"""Faults of a mesh in the lab: how each is made, which check names it, and what its fix is."""

from __future__ import annotations

import base64
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from meshctl.check.gather import Limits
from meshctl.check.look import look
from meshctl.check.report import FAILED, WARNED, Report
from meshctl.cli import main
from meshctl.lab.api import MERGE, Api
from meshctl.lab.lab import Lab
from meshctl.local.passphrase import Crypter
from meshctl.local.project import load
from meshctl.local.state import Store
from tests.support.authorities import Authority
from tests.support.graph import ROOT
from tests.support.project import PASSPHRASE, Project
from tests.support.recipes import CHARTS

NAMESPACE = "check-system"
"""A root namespace of this mesh's own: it is made, broken and taken away without anybody else noticing."""
REVISION = "stable"
"""Where the program installs istiod itself."""
CLUSTERS = ("cluster1", "cluster2")
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
SERVICE = f"/api/v1/namespaces/{NAMESPACE}/services/istio-eastwestgateway"
REMOTE = f"{SECRETS}/istio-remote-secret-cluster2"
"""In cluster1: what its istiod would read cluster2 with."""
EDGE = "cluster2 -> cluster1"
STRATEGIC = "application/strategic-merge-patch+json"
_PORTS = (15021, 15443)


class Mesh:
    """Two clusters in two networks, and somebody who listens where their gateways' proxies would."""

    def __init__(self, lab: Lab, folder: Path, *, charts: bool = False) -> None:
        """With `charts` it installs its control planes itself, of charts that stand in for Istio's."""
        self.lab = lab
        self.project = Project(folder, lab.dir)
        document = self.project.document
        document["istio"] |= {"namespace": NAMESPACE}
        document["discovery"] = {"account": "own"}
        if charts:
            document["istio"] |= {
                "install": "charts",
                "charts": {"folder": str(CHARTS)},
                # The lab's clusters know Istio's kinds already.
                "crds": "none",
                "version": "1.30.3",
                "revision": REVISION,
                "tags": {"prod": REVISION},
            }
        for cluster in document["clusters"]:
            kubeconfig = folder / f"{cluster['name']}.kubeconfig"
            kubeconfig.write_text(lab.kubeconfig(cluster["name"]).read_text())
            cluster |= {"namespace": "create", "kubeconfig": {"file": str(kubeconfig)}}
        self.project.write(document)
        self.apis = {name: Api(lab.kubeconfig(name)) for name in CLUSTERS}
        self._listening = ExitStack()
        self._sockets: dict[int, socket.socket] = {}
        self._made = False

    def mesh(self, *words: str) -> None:
        """Run a command in this process, as its start would take most of the time."""
        arguments = [*words, "--stack", self.project.stack, "--engine", "local", "--cwd", str(self.project.folder)]
        result = CliRunner().invoke(main, arguments, env={"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE})
        assert result.exit_code == 0, f"{result.stdout}\n{result.stderr}\n{result.exception}"

    def up(self) -> None:
        """Apply the mesh."""
        self.mesh("up", "--yes")
        self._made = True
        self.listen()

    def up_once(self) -> None:
        """Apply it unless that has been done."""
        if not self._made:
            self.up()

    def close(self) -> None:
        """Take it away."""
        self._listening.close()
        if self._made:
            self.mesh("destroy", "--yes")

    def look(self) -> Report:
        """What `mesh check` says now."""
        before = os.environ.get("PULUMI_CONFIG_PASSPHRASE")
        os.environ["PULUMI_CONFIG_PASSPHRASE"] = PASSPHRASE
        try:
            # On a busy machine a cluster may be slow that is not meant to be.
            return look(load(self.project.folder, self.project.stack), "local", None, Limits(seconds=60, least=60))
        finally:
            if before is None:
                del os.environ["PULUMI_CONFIG_PASSPHRASE"]
            else:
                os.environ["PULUMI_CONFIG_PASSPHRASE"] = before

    def wait_for_green(self, seconds: float = 60) -> Report:
        """Look until nothing is wrong, or time is up; as `--wait` does."""
        end = time.monotonic() + seconds
        while (found := self.look()).problems and time.monotonic() < end:
            time.sleep(0.5)
        return found

    def listen(self) -> None:
        """Take connections where the gateway of each cluster would; those that are taken stay."""
        for number, name in enumerate(CLUSTERS, 1):
            ingress = self.apis[name].get(SERVICE)["status"]["loadBalancer"]["ingress"]
            for port in _PORTS:
                key = number * 100_000 + port
                if key not in self._sockets:
                    made = socket.create_server((ingress[0]["ip"], port))
                    self._sockets[key] = self._listening.enter_context(made)

    def shut(self, cluster: int, port: int) -> None:
        """Stop listening at one port."""
        self._sockets.pop(cluster * 100_000 + port).close()

    def patch(self, cluster: str, path: str, body: Mapping[str, Any]) -> None:
        """Merge into an object."""
        self.apis[cluster].request("PATCH", path, dict(body), MERGE)

    def delete(self, cluster: str, path: str) -> None:
        """Delete an object."""
        self.apis[cluster].request("DELETE", path)

    def post(self, cluster: str, path: str, body: Mapping[str, Any]) -> None:
        """Make an object."""
        self.apis[cluster].request("POST", path, dict(body))

    def root(self) -> Authority:
        """The mesh's root with its key, out of the state: only with that can somebody sign something wrong under it."""
        state = self.project.state
        store = Store(state, f"mesh/{self.project.stack}", lambda salt: Crypter(PASSPHRASE, salt, str(state)))
        store.load()
        key = next(r.outputs for r in store.records.values() if r.name == "mesh-trust-root-key")["privateKeyPem"]
        pem = self.secret("cluster1", "cacerts")["root-cert.pem"]
        private = serialization.load_pem_private_key(key.encode(), None)
        return Authority(x509.load_pem_x509_certificate(pem.encode()), private)

    def secret(self, cluster: str, name: str) -> dict[str, str]:
        """A Secret's texts."""
        data = self.apis[cluster].get(f"{SECRETS}/{name}")["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def put(self, cluster: str, name: str, texts: Mapping[str, str | None]) -> None:
        """Change texts of a Secret; None takes one out."""
        data = {key: None if text is None else encoded(text) for key, text in texts.items()}
        self.patch(cluster, f"{SECRETS}/{name}", {"data": data})


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


Seed = Callable[[Mesh], Callable[[], object] | None]
"""Makes a fault; what it returns is its fix, where that is not `mesh up`."""


@dataclass(frozen=True)
class Fault:
    """One thing that can go wrong."""

    name: str
    code: str
    seed: Seed = field(repr=False)
    where: Sequence[str] = ("cluster2",)
    severity: str = "error"
    fix: str = "mesh up"
    """Words in the fix that is told."""

    @contextmanager
    def seeded(self, mesh: Mesh) -> Iterator[Callable[[], object]]:
        """Make it; hands over what follows its fix."""
        fix = self.seed(mesh)
        yield fix or mesh.up

    def check(self, mesh: Mesh) -> None:
        """Seed it in a green mesh: exactly its check names it, and following its fix makes the mesh green again."""
        mesh.up_once()
        with self.seeded(mesh) as fix:
            found = mesh.look()
            said = [f"{one.code} {one.where}: {one.cause}" for one in found.problems]
            assert {one.code for one in found.problems} == {self.code}, said
            assert {one.severity for one in found.problems} == {self.severity}
            assert {one.where for one in found.problems} == set(self.where)
            assert found.exit_code == (FAILED if self.severity == "error" else WARNED)
            assert all(self.fix in one.fix for one in found.problems), [one.fix for one in found.problems]
            assert all((ROOT / one.page).is_file() for one in found.problems)
            fix()
        healed = mesh.wait_for_green()
        assert [f"{one.code} {one.where}: {one.cause}" for one in healed.problems] == []
