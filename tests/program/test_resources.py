"""The names of a federation's resources: what `topology.resources` lists is what is registered, and MESH109 finds what
would be registered twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from mesh_components import MeshFederation, MeshFederationArgs
from mesh_components.settings import MeshSettings, Severity, parse
from mesh_components.topology.findings import findings
from mesh_components.topology.plan import plan
from mesh_components.topology.resources import KEY, resources
from tests.support.graph import Graph, run
from tests.support.meshes import kubeconfigs
from tests.support.rendered import rendered

CLUSTERS = ["root", "a", "a-gateway", "a-tag-x", "a-to-b", "b", "b-to-c", "c", "a-istiod-x", "a-gateway-istiod"]
REVISIONS = ["", "x", "x-istiod-x", "istiod"]
MACHINE = {"name": "istiod", "namespace": "tag-x", "ports": [{"number": 80, "name": "http"}]}
TAGS = ["y", "x-tag-y", "gateway"]


@st.composite
def meshes(draw: st.DrawFn) -> dict[str, Any]:
    """Two to five clusters whose names are likely to meet, sound in all other respects as far as that is simple."""
    names = draw(st.lists(st.sampled_from(CLUSTERS), min_size=2, max_size=5, unique=True))
    outside = draw(st.booleans())
    clusters = []
    for number, name in enumerate(names):
        role = draw(st.sampled_from(["primary", "primary", "remote"]))
        cluster: dict[str, Any] = {"name": name, "network": f"n{number % 2}", "kubeconfig": {"file": name}}
        if outside and number < 2:
            role = ["external", "config"][number]
        if role == "remote":
            cluster["controlPlane"] = names[0]
        clusters.append({**cluster, "role": "primary" if number == 0 and not outside else role})
    if draw(st.booleans()):
        for cluster in clusters[1:]:
            cluster["peerKubeconfig"] = {"file": cluster["name"]}
    return {
        "id": "mesh1",
        "istio": _istio(draw, outside),
        "discovery": {"secrets": draw(st.sampled_from(["separate", "bundled"]))},
        "applications": draw(st.sampled_from([{}, {"helloworld": {}}])),
        "visibility": draw(st.sampled_from([{}, {"sidecars": {"default": ["./*"]}}])),
        "virtualMachines": [] if outside else draw(st.sampled_from([[], [{**MACHINE, "cluster": names[-1]}]])),
        "traffic": draw(st.sampled_from([[], [{"host": "helloworld.sample", "loadBalancer": "RANDOM"}]])),
        "clusters": clusters,
    }


def _istio(draw: st.DrawFn, outside: bool) -> dict[str, Any]:
    if not outside and draw(st.booleans()):
        return {"install": "none"}
    revisions = draw(st.lists(st.sampled_from(REVISIONS), min_size=1, max_size=1 if outside else 2, unique=True))
    return {
        "namespace": "external-istiod" if outside else "istio-system",
        "revision": revisions[0],
        "revisions": [{"name": name} for name in revisions],
        "tags": dict.fromkeys(draw(st.lists(st.sampled_from(TAGS), max_size=2, unique=True)), revisions[0]),
        "cni": draw(st.booleans()),
        "dataPlane": "sidecar" if outside else draw(st.sampled_from(["sidecar", "mixed"])),
    }


def listed(mesh: MeshSettings) -> list[tuple[str, str]]:
    return sorted((item.type, item.name) for item in resources(plan(mesh)))


def federation(mesh: MeshSettings) -> Graph:
    """The graph of a mesh, with the kubeconfigs that it names."""
    known = kubeconfigs(mesh)
    handed = {n: known[n] for n, cluster in enumerate(mesh.clusters) if cluster.peer_kubeconfig is not None}
    args = MeshFederationArgs(mesh=mesh, kubeconfigs=known, peer_kubeconfigs=handed)

    def program() -> None:
        MeshFederation("mesh", args)

    return run(program, charts=rendered)


def registered(graph: Graph) -> list[tuple[str, str]]:
    """Components, and the keys under the root: the types from the federation's on, and the name."""
    found = []
    for item in graph.resources_by_name.values():
        above = graph.resources_by_name[item.parent].type if item.parent else ""
        if item.type.startswith("mesh:index:") and above == "mesh:index:MeshFederation":
            found.append((item.type, item.name))
        elif f"{above}${item.type}" == KEY:
            found.append((KEY, item.name))
    return sorted(found)


def errors(mesh: MeshSettings) -> list[str]:
    return [finding.code for finding in findings(mesh) if finding.severity is Severity.ERROR]


@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # shrinking a graph takes minutes
@given(meshes())
def test_what_is_listed_is_what_is_registered(wanted: dict[str, Any]) -> None:
    """And nothing twice: the graph refuses two equal URNs."""
    mesh = parse(wanted)
    assume(not errors(mesh))
    assert registered(federation(mesh)) == listed(mesh)


@settings(max_examples=50)
@given(meshes())
def test_a_mesh_is_refused_for_its_names_only_where_two_are_equal(wanted: dict[str, Any]) -> None:
    mesh = parse(wanted)
    names = listed(mesh)
    assert ("MESH109" in errors(mesh)) == (len(set(names)) < len(names))


def cluster(name: str, role: str = "primary", **more: Any) -> dict[str, Any]:
    return {"name": name, "network": f"network-of-{name}", "role": role, "kubeconfig": {"file": name}, **more}


def outside(*clusters: dict[str, Any]) -> dict[str, Any]:
    return {"id": "m", "istio": {"namespace": "external-istiod"}, "clusters": clusters}


TWO_REVISIONS = {"revisions": [{"name": ""}, {"name": "y", "clusters": ["a-istiod-x"]}, {"name": "x-istiod-y"}]}


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ({"id": "m", "clusters": [cluster("root"), cluster("a")]}, "mesh-trust-root-key"),
        (
            outside(cluster("a", "external"), cluster("b", "config"), cluster("a-gateway")),
            "mesh-a-gateway-namespace",
        ),
        (
            {"id": "m", "clusters": [cluster("a", tags={"x-tag-y": ""}), cluster("a-tag-x", tags={"y": ""})]},
            "mesh-a-tag-x-tag-y",
        ),
        ({"id": "m", "istio": TWO_REVISIONS, "clusters": [cluster("a"), cluster("a-istiod-x")]}, "istiod-x-istiod-y"),
    ],
)
def test_names_that_meet_are_told_once(wanted: dict[str, Any], what: str) -> None:
    found = [finding for finding in findings(parse(wanted)) if finding.severity is Severity.ERROR]
    assert [finding.code for finding in found] == ["MESH109"]
    assert what in found[0].reason


def test_resources_of_two_types_may_have_one_name() -> None:
    """The pair of a remote and its reader, and that of a config cluster and its external control plane."""
    wanted = outside(
        cluster("c", "external"),
        cluster("a-to-b", "config"),
        cluster("b-to-c"),
        cluster("a", "remote", controlPlane="c"),
    )
    mesh = parse(wanted)
    assert errors(mesh) == []
    assert registered(federation(mesh)) == listed(mesh)
