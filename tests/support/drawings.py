"""Meshes to draw: those of the stack files, and random ones."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

from mesh_components.settings import parse
from mesh_components.topology.plan import plan
from meshctl.graph.model import Graph, graph
from tests.support.graph import ROOT

STACKS = sorted(path.stem.removeprefix("Pulumi.") for path in (ROOT / "stacks").glob("Pulumi.*.yaml"))
_NAMES = st.one_of(
    st.integers(1, 9).map(lambda n: f"c{n}"), st.from_regex(r"[a-z][-a-z0-9]{0,61}[a-z0-9]", fullmatch=True)
)


def stack(name: str) -> Graph:
    """The mesh of a stack file."""
    return drawing(yaml.safe_load((ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text())["config"]["mesh:mesh"])


def drawing(document: dict[str, Any]) -> Graph:
    """The picture of a document."""
    return graph(plan(parse(document)))


@st.composite
def _meshes(draw: st.DrawFn) -> dict[str, Any]:
    """Two to six clusters with names of any length, in any networks, with any mix of control and data planes."""
    names = draw(st.lists(_NAMES, min_size=2, max_size=6, unique=True))
    networks = draw(st.lists(_NAMES, min_size=1, max_size=3, unique=True))
    plane = draw(st.sampled_from(["sidecar", "ambient", "mixed"]))
    external = plane == "sidecar" and draw(st.booleans())
    revisions = [
        {"name": name} for name in draw(st.sampled_from([[""], ["1-30-3"], ["", "1-31-0", "a-long-one-1-29-7"]]))
    ]
    clusters: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        first = {"role": "external" if external else "primary"} if number == 0 else {}
        second = {"role": "config"} if external and number == 1 else {}
        more = draw(st.sampled_from(["primary", "remote"])) if plane == "sidecar" and not external else "primary"
        role = {"role": "remote" if external else more, **second, **first}["role"]
        server = {"controlPlane": names[0]} if role == "remote" else {}
        place = {"locality": {"region": draw(_NAMES)}} if draw(st.booleans()) else {}
        clusters.append({"name": name, "network": draw(st.sampled_from(networks)), "role": role, **server, **place})
    tags = {"prod": revisions[0]["name"]} if draw(st.booleans()) else {}
    istio = {"dataPlane": plane, "revision": revisions[0]["name"], "revisions": revisions, "tags": tags}
    secrets = draw(st.sampled_from(["separate", "bundled"]))
    reach = {"reach": "hub-and-spoke", "hubs": [names[0]]} if draw(st.booleans()) else {}
    beside = _beside(draw, names) if plane == "sidecar" and draw(st.booleans()) else {}
    for cluster in clusters if beside else ():
        cluster |= {"ingress": [{}], "egress": {}} if draw(st.booleans()) else {}
    discovery = {"secrets": secrets, **reach}
    return {"id": draw(_NAMES), "istio": istio, "discovery": discovery, **beside, "clusters": clusters}


def _beside(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    """Machines of any cluster, and another mesh."""
    machines = [{"name": draw(_NAMES), "namespace": "shop", "cluster": name} for name in names[:2]]
    export = {"host": "a.shop", "ports": [{"number": 80, "name": "http"}], "accounts": ["shop/a"], "meshes": ["other"]}
    other = {"name": "other", "trustDomain": draw(_NAMES), "imports": [{"host": "b.shop"}]}
    return {"virtualMachines": machines, "meshes": [other], "exports": [export] if draw(st.booleans()) else []}


MESHES = _meshes()
