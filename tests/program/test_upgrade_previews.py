"""Every step of an upgrade as its preview shows it: the whole program of the document after it against the one before.

The lab has one shape of mesh (tests/lab/test_upgrade.py); here are the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
import yaml

from mesh_components.topology.steps import Step
from mesh_components.topology.upgrade import upgrade_plan
from meshctl.local.providers.kubernetes.compare import differences
from meshctl.local.providers.kubernetes.immutable import force_new
from tests.support.graph import Graph, Registered
from tests.support.meshes import federation
from tests.support.upgrades import BUILDS

TO = "1.31.0"
OPS = {"remove": {"create", "update", "delete"}}
"""An old control plane goes at the end, and a tag `default` comes for it; no step before takes anything away."""
SHAPES = {
    "named, with tags": """
        istio: {version: 1.30.3, revision: 1-30-3, tags: {prod: 1-30-3, test: 1-30-3}}
        clusters: [{name: east, network: network1}, {name: west, network: network2}]
    """,
    "unnamed": """
        istio: {version: 1.30.3}
        clusters: [{name: east, network: network1}, {name: west, network: network2}]
    """,
    "unnamed, with a tag, on one network": """
        istio: {version: 1.30.3, tags: {prod: ""}}
        clusters: [{name: east, network: network1}, {name: west, network: network1}]
    """,
    "named, with remotes": """
        istio: {version: 1.30.3, revision: 1-30-3, tags: {prod: 1-30-3}}
        clusters:
          - {name: east, network: network1}
          - {name: west, network: network2}
          - {name: far, network: network3, role: remote, controlPlane: east}
          - {name: near, network: network1, role: remote, controlPlane: east}
    """,
    "unnamed, with a remote": """
        istio: {version: 1.30.3}
        clusters:
          - {name: east, network: network1}
          - {name: far, network: network2, role: remote}
    """,
    "with a remote behind a host name": """
        istio: {version: 1.30.3, revision: 1-30-3}
        clusters:
          - {name: east, network: network1, eastWest: {address: east.example.com}}
          - {name: far, network: network2, role: remote}
    """,
    "ambient": """
        istio: {version: 1.30.3, revision: 1-30-3, dataPlane: ambient}
        clusters: [{name: east, network: network1}, {name: west, network: network2}]
    """,
    "mixed, unnamed": """
        istio: {version: 1.30.3, dataPlane: mixed}
        clusters: [{name: east, network: network1}, {name: west, network: network2}]
    """,
    "external control plane, in place": """
        istio: {version: 1.30.3, namespace: external-istiod}
        clusters:
          - {name: control, network: network0, role: external, eastWest: {address: istiod.example.com}}
          - {name: east, network: network1, role: config}
          - {name: far, network: network2, role: remote}
    """,
}


@dataclass(frozen=True)
class Change:
    """A row of a preview in which something happens."""

    op: str
    cluster: str
    component: str
    thing: str
    """Type and name in the cluster: two rows about one thing would be in each other's way."""


@pytest.fixture(params=SHAPES)
def planned(request: pytest.FixtureRequest) -> tuple[dict[str, Any], tuple[Step, ...]]:
    document = {"id": "mesh1", **yaml.safe_load(SHAPES[request.param])}
    document["istio"]["charts"] = {"repository": "https://charts.example.com"}
    for number, cluster in enumerate(document["clusters"], 1):
        cluster["apiServer"] = {"address": f"https://203.0.113.{number}:6443"}
        cluster["kubeconfig"] = {"file": cluster["name"]}
    return document, upgrade_plan(document, TO)


def test_a_step_s_preview_shows_what_is_its_own(planned: tuple[dict[str, Any], tuple[Step, ...]]) -> None:
    document: Mapping[str, Any]
    document, steps = planned
    assert steps
    graphs = [federation(document)]
    for step in steps:
        graphs.append(federation(step.document) if step.changes_document else graphs[-1])
    documents = [document, *(step.document for step in steps)]
    for there, step, (before, after) in zip(documents[:-1], steps, pairwise(graphs), strict=True):
        shown = list(changes(before, after))
        assert bool(shown) == (step.changes_document and bool(step.clusters)), step.title
        assert {change.cluster for change in shown} == (set(step.clusters) if shown else set()), step.title
        assert {change.component for change in shown} <= BUILDS.get(step.kind, frozenset()), step.title
        assert {change.op for change in shown} <= OPS.get(step.kind, {"create", "update"}), step.title
        things = [(change.cluster, change.thing) for change in shown]
        assert len(set(things)) == len(things), step.title
        if not step.changes_document:
            assert step.document == there, step.title
    # What is shown is what is done: the graph of the first preview is that of up. Of each kind of step one.
    for step, after in {step.kind: (step, after) for step, after in zip(steps, graphs[1:], strict=True)}.values():
        if step.changes_document:
            assert federation(step.document, preview=True).drawing() == after.drawing(), step.title


def test_the_way_back_of_a_step_is_what_was_there_before(planned: tuple[dict[str, Any], tuple[Step, ...]]) -> None:
    document, steps = planned
    before = [document, *(step.document for step in steps)]
    for there, step in zip(before, steps, strict=False):
        assert step.rollback.document == there, step.title


def changes(before: Graph, after: Graph) -> Iterator[Change]:
    """What a preview of `after` shows where `before` was applied. Components have no row of their own."""
    old, new = ({item.urn: item for item in graph.resources_by_name.values()} for graph in (before, after))
    for urn in sorted({*old, *new}):
        graph, item = (after, new[urn]) if urn in new else (before, old[urn])
        if not item.provider:
            if not item.type.startswith("mesh:"):
                # Keys and certificates.
                assert {urn} <= old.keys() & new.keys()
                assert old[urn].inputs == new[urn].inputs, urn
            continue
        if op := _op(old.get(urn), new.get(urn)):
            component = graph.components(item)[-2].rpartition(":")[2]
            named = item.inputs.get("metadata", item.inputs)
            thing = f"{item.type} {named.get('namespace', '')}/{named['name']}"
            yield Change(op, graph.cluster(item), component, thing)


def _op(old: Registered | None, new: Registered | None) -> str:
    if old is None or new is None:
        return "create" if old is None else "delete"
    paths = [path for path, _, _ in differences(old.inputs, new.inputs)]
    name = {("metadata", "name"), ("metadata", "namespace")}
    if force_new(new.type.rpartition(":")[2], paths, mutable=True) or name & set(paths):
        return "replace"
    return "update" if paths else ""
