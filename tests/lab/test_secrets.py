"""No key and no token in clear, wherever they come from and whatever goes wrong, on real API servers.

Errors are forced where they hurt most: the API servers refuse Secrets with messages that quote what is in them, as
admission webhooks of companies do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kubernetes import client

from meshctl.lab.api import Api
from tests.lab.conftest import Eventually, RealLab
from tests.support import authorities
from tests.support.authorities import Authority
from tests.support.leaks import leaks
from tests.support.objects import NAMESPACE
from tests.support.project import PASSPHRASE, Project

pytestmark = pytest.mark.lab
CLUSTERS = ("cluster1", "cluster2")
QUOTING = "refused, with all that is in it"

NOW = datetime.now(UTC)
ROOT = authorities.root(begins=NOW - timedelta(days=1), ends=NOW + timedelta(days=3650))


def _signed(number: int) -> Authority:
    return authorities.intermediate(ROOT, authorities.key(number=number), ends=NOW + timedelta(days=365))


def _generated(_: Project) -> dict[str, Any]:
    return {}


def _own_root(project: Project) -> dict[str, Any]:
    """A root from files, and tokens with an end."""
    _write(project, "root", ROOT)
    source = {"root": {"certificate": {"file": "root.pem"}, "key": {"file": "root.key"}}}
    return {"trust": {"source": source, "protectRoot": False}, "discovery": {"tokens": {"kind": "requested"}}}


def _ready_made(project: Project) -> dict[str, Any]:
    """Intermediates from files, and one Secret per reader."""
    (project.folder / "root.pem").write_text(ROOT.pem)
    made = {}
    for number, name in enumerate(CLUSTERS, 1):
        _write(project, name, _signed(number))
        files = {"certificate": f"{name}.pem", "key": f"{name}.key", "root": "root.pem"}
        made[name] = {key: {"file": file} for key, file in files.items()}
    return {"trust": {"source": {"intermediates": made}}, "discovery": {"secrets": "bundled"}}


def _client_certificates(project: Project) -> dict[str, Any]:
    """Peers with certificates. Who signs them nobody asks here: the API servers see what is stored, not used."""
    _write(project, "reader", authorities.client(ROOT, begins=NOW - timedelta(days=1), ends=NOW + timedelta(days=365)))
    files = {"certificate": {"file": "reader.pem"}, "key": {"file": "reader.key"}}
    stated = {"user": "mesh-reader", "clientCertificate": files}
    return {"clusters": [{**item, "peerAuthentication": stated} for item in project.document["clusters"]]}


def _write(project: Project, name: str, made: Authority) -> None:
    (project.folder / f"{name}.pem").write_text(made.pem)
    (project.folder / f"{name}.key").write_text(made.key)


SOURCES = {
    "generated": _generated,
    "own root, requested tokens": _own_root,
    "ready-made intermediates, bundled": _ready_made,
    "client certificates": _client_certificates,
}


class Refusals:
    """Both API servers, and how they are made to refuse Secrets."""

    def __init__(self, lab: RealLab, eventually: Eventually) -> None:
        self.clients = {name: lab.client(name) for name in CLUSTERS}
        self.eventually = eventually

    @contextmanager
    def of(self, *operations: str, names: str = "true") -> Iterator[None]:
        """Refuse Secrets that the CEL expression picks, and quote all their data."""
        for item in self.clients.values():
            self._refuse(client.AdmissionregistrationV1Api(item), operations, names)
        for item in self.clients.values():
            self.eventually(lambda item=item: self._refused(item))  # type: ignore[misc]
        try:
            yield
        finally:
            for item in self.clients.values():
                admission = client.AdmissionregistrationV1Api(item)
                admission.delete_validating_admission_policy_binding("quoting")
                admission.delete_validating_admission_policy("quoting")
            for item in self.clients.values():
                self.eventually(lambda item=item: not self._refused(item))  # type: ignore[misc]

    def _refuse(self, admission: Any, operations: tuple[str, ...], names: str) -> None:
        rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"]}
        probe = "request.operation == 'CREATE' && object.metadata.name == 'probe'"
        spec = {
            "matchConstraints": {"resourceRules": [{**rule, "operations": ["CREATE", "UPDATE", "DELETE"]}]},
            "matchConditions": [
                {"name": "these", "expression": f"({probe}) || (request.operation in {[*operations]} && ({names}))"}
            ],
            "variables": [{"name": "it", "expression": "request.operation == 'DELETE' ? oldObject : object"}],
            "validations": [{"expression": "false", "messageExpression": _QUOTE}],
        }
        admission.create_validating_admission_policy({"metadata": {"name": "quoting"}, "spec": spec})
        bound = {"policyName": "quoting", "validationActions": ["Deny"]}
        admission.create_validating_admission_policy_binding({"metadata": {"name": "quoting"}, "spec": bound})

    @staticmethod
    def _refused(item: client.ApiClient) -> bool:
        """Whether a Secret called `probe` is; nothing is made of it."""
        body = {"metadata": {"name": "probe"}, "stringData": {"key": "nothing"}}
        try:
            client.CoreV1Api(item).create_namespaced_secret("default", body, dry_run="All")
        except client.ApiException as error:
            if QUOTING not in str(error.body):
                raise
            return True
        return False


_PUBLIC = ["cert-chain.pem", "root-cert.pem", "ca.crt"]
"""Left out of the message, which the API server does not pass on when it is longer than 5 KiB."""
_QUOTE = (
    f"'{QUOTING}: ' + (has(variables.it.data) ? "
    f"variables.it.data.filter(key, !(key in {_PUBLIC})).map(key, variables.it.data[key]).join(' ') : '')"
)


@pytest.fixture(scope="module")
def refusals(lab: RealLab, eventually: Eventually) -> Refusals:
    return Refusals(lab, eventually)


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_is_shown_or_kept_in_clear(
    source: str, refusals: Refusals, lab: RealLab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = Project(tmp_path_factory.mktemp("secrets"), lab.dir)
    document = project.document
    document |= SOURCES[source](project)
    project.write(document)
    seen: dict[str, str] = {}

    def run(what: str, *words: str, fails: bool = False, **over: Any) -> None:
        """Run a command, and keep everything that leaves it."""
        result = project.run(*words, **over)
        assert (result.returncode != 0) == fails, f"{what}:\n{result.stdout}\n{result.stderr}"
        kept = "".join(path.read_text() for path in project.state.parent.glob("*")) if project.state.exists() else ""
        seen[what] = "\n".join((result.stdout, result.stderr, kept))

    try:
        run("first preview", "preview")
        with refusals.of("CREATE"):
            run("every secret refused", "up", "--yes", fails=True)
        with refusals.of("CREATE", names="object.metadata.name.startsWith('istio-remote-secret')"):
            run("credentials refused", "up", "--yes", "--json", fails=True)
        run("up", "up", "--yes")
        run("as JSON", "preview", "--json")
        changed = {**document, "trust": {**document["trust"], **_another(project, source)}}
        project.write(changed)
        run("a change", "preview")
        with refusals.of("CREATE", "UPDATE"):
            run("a change refused", "up", "--yes", fails=True)
        run("another passphrase", "preview", fails=True, over={"PULUMI_CONFIG_PASSPHRASE": "not this one"})
        lab.stop_apiserver("cluster2")
        try:
            run("a server is away", "up", "--yes", fails=True)
        finally:
            lab.start_apiserver("cluster2")
        with refusals.of("DELETE"):
            run("deleting refused", "destroy", "--yes", fails=True)
        run("with the change", "up", "--yes")
        run("properties", "preview", "--properties")
        for name in CLUSTERS:
            carried = Api(lab.kubeconfig(name)).request("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets").decode()
            assert leaks(carried), "what is looked for is there, so it would be found"
    finally:
        run("destroy", "destroy", "--yes")
    assert {what: leaks(text) for what, text in seen.items() if leaks(text)} == {}
    assert not [what for what, text in seen.items() if PASSPHRASE in text]
    quoted = [what for what, text in seen.items() if QUOTING in text]
    assert quoted == ["deleting refused"], "of what is to be written, the server's words are left out"
    assert "[secret]" in seen["deleting refused"]


def _another(project: Project, source: str) -> dict[str, Any]:
    """A change of the trust that makes other keys."""
    if source.startswith("ready-made"):
        _write(project, "cluster1", _signed(8))
        return {}
    return {"intermediateSerials": {"cluster1": 2}}
