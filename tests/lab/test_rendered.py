"""The files of `mesh render` on real API servers, applied as something else than this library applies them; then read
by `mesh import`, and taken over by the stack, which finds nothing of them to change."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.local.providers.kubernetes.transport import Transport
from tests.lab.conftest import RealLab
from tests.support import authorities
from tests.support.project import Project
from tests.support.recipes import on_lab

pytestmark = pytest.mark.lab

RECIPE = "multi-primary-multi-network"
CLUSTERS = ("cluster1", "cluster2")
MANAGER = "argocd-controller"


@dataclass(frozen=True)
class Fed:
    """A mesh whose objects something else has applied."""

    project: Project
    document: dict[str, Any]
    index: dict[str, Any]

    def created(self, rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
        """Cluster and kind of the objects that a preview would create."""
        kinds = ((row, row["type"].rpartition(":")[2]) for row in rows if row["op"] == "create")
        return {(row["cluster"], kind) for row, kind in kinds if row["type"].startswith("kubernetes:")}


def signed(folder: Path) -> dict[str, Any]:
    """`trust.source.intermediates`, with the PEMs where `mesh import` expects them."""
    root = authorities.root()
    found = {}
    for number, name in enumerate(CLUSTERS):
        made = authorities.intermediate(root, authorities.key(number=10 + number), name=f"{name} CA")
        (folder / name).mkdir()
        pems = {"certificate": made.pem, "key": made.key, "chain": made.chain, "root": root.pem}
        files = {"certificate": "ca-cert.pem", "key": "ca-key.pem", "chain": "cert-chain.pem", "root": "root-cert.pem"}
        for key, file in files.items():
            (folder / name / file).write_text(pems[key])
        found[name] = {key: {"file": f"{name}/{file}"} for key, file in files.items()}
    return found


def cacerts(folder: Path) -> dict[str, Any]:
    """As Istio's guides have a person make it."""
    files = ("ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem")
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "cacerts", "namespace": "istio-system"},
        "data": {file: base64.b64encode((folder / file).read_bytes()).decode() for file in files},
    }


def apply(cluster: Cluster, manifest: dict[str, Any]) -> None:
    """Server-side apply, without force."""
    metadata = manifest["metadata"]
    kind = cluster.kind(manifest["apiVersion"], manifest["kind"])
    assert kind, manifest["kind"]
    path = cluster.path(manifest["apiVersion"], kind, metadata.get("namespace", ""), metadata["name"])
    cluster.apply(path, manifest, MANAGER)


@pytest.fixture(scope="module")
def fed(bare_lab: RealLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fed]:
    project = Project(tmp_path_factory.mktemp("rendered"), bare_lab.dir, stack=RECIPE)
    document = on_lab(RECIPE)
    document["trust"]["source"] = {"intermediates": signed(project.folder)}
    document["istio"]["crds"] = "objects"
    project.write(document)
    kubeconfigs = {name: bare_lab.kubeconfig(name) for name in CLUSTERS}
    index = json.loads(project.alone("render", "rendered", "--stack", RECIPE, "--json"))
    try:
        for name, kubeconfig in kubeconfigs.items():
            cluster = Cluster(name, Transport(name, kubeconfig.read_text()))
            for file in index["files"]:
                if file.startswith(f"{name}/"):
                    apply(cluster, yaml.safe_load((project.folder / "rendered" / file).read_text()))
            apply(cluster, cacerts(project.folder / name))
        yield Fed(project, document, index)
    finally:
        project.write(adopting(document))
        project.run("up", "--yes", "--skip-preview")  # whatever a test has left to take over
        project.done("destroy", "--yes")


def adopting(document: dict[str, Any]) -> dict[str, Any]:
    """The same mesh, that takes over what it finds."""
    return {**document, "clusters": [{**cluster, "adopt": True} for cluster in document["clusters"]]}


def test_what_others_have_applied_is_read(fed: Fed) -> None:
    words = [f"{name}=.lab/clusters/{name}/kubeconfig" for name in CLUSTERS]
    found = json.loads(fed.project.alone("import", *words, "--json"))
    imported = found["document"]
    assert imported["istio"]["install"] == "none"
    assert [cluster["adopt"] for cluster in imported["clusters"]] == [True, True]
    assert any(f"{MANAGER} made objects of the mesh in cluster1" in note for note in found["notes"])
    assert any(f"{MANAGER} made `cacerts`" in note for note in found["notes"])
    for source in imported["trust"]["source"]["intermediates"].values():
        source["key"] = {"file": source["certificate"]["file"].replace("cert", "key")}
    fed.project.write(imported)
    rows = fed.project.preview()
    # What the files have left out is made; a Patch is nobody's object; and nothing of the rest changes.
    assert [row["fields"] for row in rows if row["fields"]] == []
    assert fed.created(rows) == {(name, kind) for name in CLUSTERS for kind in ("Secret", "NamespacePatch")}


def test_the_stack_takes_over_what_is_there_and_changes_nothing_of_it(fed: Fed) -> None:
    fed.project.write(adopting(fed.document))
    rows = fed.project.preview()
    left = [item for item in fed.index["left"] if item["name"] != "cacerts"]
    assert fed.created(rows) == {(item["cluster"], item["kind"]) for item in left} != set()
    # Files do not have the bundle by which an API server trusts istiod's webhooks.
    changed = {field["path"].partition(".")[2] for row in rows for field in row["fields"]}
    assert changed == {"clientConfig.caBundle"}
    told = fed.project.run("up", "--yes")
    assert told.returncode == 0, told.stderr
    assert f"exists already, written by {MANAGER}: taken over" in told.stdout + told.stderr
    assert fed.project.changes() == []
