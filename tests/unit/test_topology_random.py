"""Any mix of roles, networks, data planes, reach and revisions: what is not refused fits together.

Documents are drawn so that most of them are sound; the rest are for the rules.
"""

from __future__ import annotations

from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from mesh_components.settings import MeshSettings, Severity, parse
from mesh_components.topology.findings import findings
from mesh_components.topology.plan import ClusterPlan, Topology, networks, plan

NAMES = [f"c{n}" for n in range(8)]
REVISIONS = ["", "a", "b"]
SERVERS = {"primary", "external"}

seldom = st.integers(0, 15).map(lambda n: n == 11)  # not an end of the range, which Hypothesis likes
gateways = st.sampled_from(
    [
        *({} for _ in range(6)),
        {"enabled": True},
        {"enabled": False},
        {"address": "istiod.example.com"},
        {"addressType": "hostname"},
    ]
)
platforms = st.sampled_from([*(["generic"] * 9), "gke", "ibm", "eks", "openshift"])


@st.composite
def documents(draw: st.DrawFn, explicit: bool = False) -> dict[str, Any]:
    """A document of two to eight clusters. `explicit`: remotes name who serves them."""
    kinds = draw(st.sampled_from([("primary",), ("primary", "primary", "remote"), ("primary", "remote", "external")]))
    roles = ["primary", *draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=6))]
    if draw(seldom):
        roles.pop(0)
    externals = [position for position, role in enumerate(roles) if role == "external"]
    for position in externals if draw(seldom) else externals[1:]:
        roles[position] = "remote"
    if "external" in roles:
        roles.append("config")
    members = [_cluster(draw, number, roles, explicit) for number in range(len(roles))]
    ambient = kinds == ("primary",) or draw(seldom)
    istio: dict[str, Any] = {
        "version": "1.30.5",
        "dataPlane": draw(st.sampled_from(["sidecar", "ambient", "mixed"])) if ambient else "sidecar",
        "namespace": "external-istiod" if "external" in roles and not draw(seldom) else "istio-system",
        "install": "none" if draw(seldom) else "charts",
    }
    istio |= _revisions(draw, NAMES[: len(roles)])
    return {"id": "mesh1", "istio": istio, "clusters": members, "discovery": _discovery(draw, roles)}


def _cluster(draw: st.DrawFn, number: int, roles: list[str], explicit: bool) -> dict[str, Any]:
    role = roles[number]
    found: dict[str, Any] = {
        "name": NAMES[number],
        "role": role,
        "network": draw(st.sampled_from(["n1", "n2", "n3"])),
        "platform": draw(platforms),
        "eastWest": draw(gateways),
        "kubeconfig": {"file": NAMES[number]},
    }
    wanted = {"external"} if role == "config" else SERVERS
    servers = [NAMES[n] for n, other in enumerate(roles) if other in wanted]
    if role in {"remote", "config"} and servers and (explicit or not draw(seldom)):
        found["controlPlane"] = draw(st.sampled_from(servers))
    if draw(seldom) and draw(st.booleans()):
        found["controlPlane"] = draw(st.sampled_from(NAMES))
    return found


def _revisions(draw: st.DrawFn, clusters: list[str]) -> dict[str, Any]:
    stated = draw(st.lists(st.sampled_from(REVISIONS), max_size=2, unique=True))
    revision: str = stated[0] if stated else draw(st.sampled_from(REVISIONS))
    found: dict[str, Any] = {"revision": revision}
    side_by_side = draw(st.booleans())
    if stated and side_by_side:
        found["revisions"] = [{"name": name} for name in stated]
        if draw(st.booleans()):
            found["revisions"][-1]["clusters"] = draw(st.lists(st.sampled_from(clusters), unique=True))
    if draw(st.booleans()):
        found["tags"] = {"prod": found["revision"]}
    return found


def _discovery(draw: st.DrawFn, roles: list[str]) -> dict[str, Any]:
    readers = [NAMES[n] for n, role in enumerate(roles) if role in SERVERS]
    sources = [NAMES[n] for n, role in enumerate(roles) if role != "external"]
    if not readers or draw(st.booleans()):
        return {}
    pairs = st.lists(st.tuples(st.sampled_from(sources or NAMES), st.sampled_from(readers)), max_size=12)
    return {
        "reach": draw(st.sampled_from(["full", "hub-and-spoke", "edges"])),
        "hubs": draw(st.lists(st.sampled_from(readers), min_size=1, max_size=2)),
        "edges": [{"source": s, "reader": r} for s, r in draw(pairs) if s != r or draw(seldom)],
        "secrets": draw(st.sampled_from(["separate", "bundled"])),
    }


def refused(mesh: MeshSettings) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings(mesh))


def decided(document: dict[str, Any]) -> Topology:
    """The topology of a sound document. Hypothesis complains when too few of them are."""
    mesh = parse(document)
    assume(not refused(mesh))
    return plan(mesh)


def has_gateway(topology: Topology, cluster: ClusterPlan) -> bool:
    """Whether it lets other networks in by every data plane of the mesh, and somebody configured that."""
    data_plane = topology.mesh.istio.data_plane
    sidecars = data_plane == "ambient" or (cluster.east_west and holder(topology, cluster).exposes_services)
    return sidecars and (data_plane == "sidecar" or bool(cluster.ambient_gateway))


def holder(topology: Topology, cluster: ClusterPlan) -> ClusterPlan:
    """The cluster with the configuration that this one's gateway reads."""
    server = topology.cluster(cluster.control_plane)
    if server.role == "primary":
        return server
    return next(c for c in topology.clusters if c.role == "config" and c.control_plane == server.name)


many = settings(max_examples=120, deadline=None)


@many
@given(documents())
def test_what_is_not_refused_fits_together(document: dict[str, Any]) -> None:
    topology = decided(document)
    edges_join_workloads_and_another_istiod(topology)
    every_remote_has_its_control_plane_and_is_read_by_it(topology)
    a_reader_knows_an_open_gateway_of_every_network_that_its_proxies_call(topology)
    every_namespace_and_every_gateway_has_an_injector(topology)
    ambient_is_where_istio_can_do_it(topology)


def edges_join_workloads_and_another_istiod(topology: Topology) -> None:
    for edge in topology.edges:
        assert edge.source != edge.reader
        assert topology.cluster(edge.source).role != "external"
        assert topology.cluster(edge.reader).role in SERVERS
    assert list(topology.edges) == sorted(set(topology.edges))


def every_remote_has_its_control_plane_and_is_read_by_it(topology: Topology) -> None:
    read = {(edge.source, edge.reader): edge for edge in topology.edges}
    for cluster in topology.clusters:
        server = topology.cluster(cluster.control_plane)
        assert server.signs
        if cluster.signs:
            assert server is cluster
            continue
        assert server.serves_remotes
        assert read[cluster.name, server.name].config is (cluster.role == "config")
        assert {r.name for r in cluster.revisions} <= {r.name for r in server.revisions}
        if server.role == "primary":
            assert server.east_west
            assert server.exposes_istiod
            assert cluster.controlled_by == server.name
        else:
            assert cluster.role == "config" or topology.cluster(cluster.controlled_by).role == "config"


def a_reader_knows_an_open_gateway_of_every_network_that_its_proxies_call(topology: Topology) -> None:
    for edge in topology.edges:
        source = topology.cluster(edge.source)
        own = [c for c in topology.clusters if c.control_plane == edge.reader and c.role != "external"]
        read = [topology.cluster(e.source) for e in topology.edges if e.reader == edge.reader]
        if all(c.settings.network == source.settings.network for c in own):
            continue
        doors = [c for c in (*own, *read) if c.settings.network == source.settings.network]
        assert any(has_gateway(topology, c) for c in doors), edge


def every_namespace_and_every_gateway_has_an_injector(topology: Topology) -> None:
    for cluster in topology.clusters:
        here = {revision.name for revision in cluster.revisions}
        assert {revision for _, revision in cluster.tags} <= here
        assert cluster.role == "external" or cluster.gateway_revision in here | dict(cluster.tags).keys()


def ambient_is_where_istio_can_do_it(topology: Topology) -> None:
    for cluster in topology.clusters:
        assert not cluster.ambient or (cluster.role == "primary" and cluster.cni)


class TestGrowth:
    """Adding a cluster changes the others only where they are what it needs."""

    @many
    @given(documents(explicit=True), st.sampled_from(["primary", "remote"]), st.data())
    def test_a_new_cluster_changes_of_the_others_what_it_needs_of_them(
        self, document: dict[str, Any], role: str, data: st.DataObject
    ) -> None:
        before = decided(document)
        servers = [cluster.name for cluster in before.clusters if cluster.signs]
        new: dict[str, Any] = {"name": "new", "network": data.draw(st.sampled_from(["n1", "n4"])), "role": role}
        new["kubeconfig"] = {"file": "new"}
        if role == "remote":
            new["controlPlane"] = data.draw(st.sampled_from(servers))
        after = decided({**document, "clusters": [*document["clusters"], new]})
        others = {edge for edge in after.edges if "new" not in (edge.source, edge.reader)}
        assert others == set(before.edges)
        networks_need_gateways = len(networks(before.mesh)) == 1 < len(networks(after.mesh))
        for was in before.clusters:
            now = after.cluster(was.name)
            changed = {key for key, value in vars(was).items() if value != getattr(now, key)}
            allowed = {"source"} if role == "primary" else set()  # it reads, so the other one hands it a token
            if networks_need_gateways:
                allowed |= {"east_west", "ambient_gateway", "exposes_services"}
            if after.cluster("new").control_plane == was.name:  # istiod is opened to it
                allowed |= {"serves_remotes", "exposes_istiod", "east_west", "exposes_services"}
            assert changed <= allowed, (was.name, changed)

    def test_a_remote_that_names_nobody_is_not_taken_over(self) -> None:
        """Not even by a primary of its own network: the document must say it."""
        clusters = [
            {"name": "c0", "network": "n1"},
            {"name": "c1", "network": "n2", "role": "remote"},
            {"name": "c2", "network": "n2"},
        ]
        one, two = (parse({"id": "m", "clusters": clusters[:count]}) for count in (2, 3))
        assert plan(one).cluster("c1").control_plane == "c0"
        assert ("MESH408", "clusters[1].controlPlane") in [(f.code, f.place) for f in findings(two)]


class TestRules:
    @many
    @example({"id": "", "clusters": [{"name": "", "network": "", "role": "config", "controlPlane": ""}]})
    @given(documents())
    def test_they_never_fail(self, document: dict[str, Any]) -> None:
        mesh = parse(document)
        found = findings(mesh)
        assert findings(mesh) == found
        assert all(f.place and f.reason and f.fix for f in found)

    @many
    @given(documents(), st.randoms(use_true_random=False))
    def test_they_do_not_care_for_the_order_of_the_clusters(self, document: dict[str, Any], shuffler: Any) -> None:
        shuffled = list(document["clusters"])
        shuffler.shuffle(shuffled)
        one, other = findings(parse(document)), findings(parse({**document, "clusters": shuffled}))
        assert sorted(f.code for f in one) == sorted(f.code for f in other)
