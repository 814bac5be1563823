"""Why the parts of a mesh are there, in words, and the places of the document that ask for them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mesh_components.topology.plan import ClusterPlan, Topology, networks

_WHOLE = ("istio", "trust", "discovery", "addons", "waypoints")
"""How keys of the whole mesh begin; the others are a cluster's."""

Reason = tuple[str, tuple[str, ...]]
"""Why, and where the document says so."""


def reason(topology: Topology, kind: str, *clusters: str) -> Reason:
    """Why there is such a part.

    Args:
        topology: the mesh, decided.
        kind: of a component (`EastWestGateway`), `cluster` or `edge`.
        clusters: the cluster that it is of, or source and reader. None where it is the mesh's.
    """
    if kind in ("edge", "RemoteSecret", "ConfigSecret") and len(clusters) > 1:
        return _edge(topology, *clusters[:2])
    if not clusters:
        why, place = _OF_MESH.get(kind, ("the program makes it for every mesh", "(document)"))
        return why, (place,)
    found = topology.cluster(clusters[0])
    explain = _OF_CLUSTER.get(kind)
    if explain is None:
        return f"{found.name} is in the mesh, as {found.role}", (_at(topology, found.name),)
    why, keys = explain(topology, found)
    return why, tuple(key if key.startswith(_WHOLE) else _at(topology, found.name, key) for key in keys)


def _at(topology: Topology, name: str, key: str = "") -> str:
    index = next(i for i, cluster in enumerate(topology.mesh.clusters) if cluster.name == name)
    return f"clusters[{index}].{key}" if key else f"clusters[{index}]"


def _edge(topology: Topology, source: str, reader: str) -> Reason:
    places = (_at(topology, reader), _at(topology, source))
    reach = topology.mesh.discovery.reach
    if topology.cluster(source).control_plane == reader:
        why = f"{reader} serves {source}, so its istiod reads services and endpoints there"
        return why, (*places, f"{_at(topology, source)}.controlPlane")
    why = {
        "full": "discovery.reach is full: every istiod reads every other cluster",
        "hub-and-spoke": "discovery.reach is hub-and-spoke, and one of the two is a hub",
        "edges": "discovery.edges lists this pair",
    }[reach]
    asks = {"full": "discovery.reach", "hub-and-spoke": "discovery.hubs", "edges": "discovery.edges"}[reach]
    return f"{why}; the istiod of {reader} reads services and endpoints of {source}", (asks, *places)


def _gateway(topology: Topology, found: ClusterPlan) -> Reason:
    count = len(networks(topology.mesh))
    if found.settings.east_west.enabled:
        return "the document asks for the gateway", ("eastWest.enabled",)
    if found.exposes_istiod and count == 1:
        return "remotes reach this cluster's istiod through the gateway", ("role",)
    why = f"the mesh has {count} networks, so requests from other networks come in here"
    return why, ("network",)


def _plane(_: Topology, found: ClusterPlan) -> Reason:
    if found.role == "remote":
        return f"{found.name} is served by the istiod of {found.control_plane}", ("role", "controlPlane")
    return f"{found.name} runs an istiod of its own", ("role", "istio.revisions")


def _token(topology: Topology, found: ClusterPlan) -> Reason:
    readers = [edge.reader for edge in topology.edges if edge.source == found.name]
    return f"istiods elsewhere read this cluster with it: {', '.join(readers)}", ("discovery.tokens", "discovery.reach")


def _bundle(topology: Topology, found: ClusterPlan) -> Reason:
    sources = [edge.source for edge in topology.edges if edge.reader == found.name and not edge.config]
    return f"its istiod reads {', '.join(sources)}, with one Secret for all", ("discovery.secrets",)


def _said(why: str, *keys: str) -> Callable[[Topology, ClusterPlan], Reason]:
    return lambda _topology, _found: (why, keys)


_CACERTS = _said("an istiod here signs for workloads, with an intermediate of the mesh's root", "trust", "role")
_KUBECONFIG = _said("the cluster exists, and its kubeconfig is the way in", "kubeconfig")

_OF_CLUSTER: Mapping[str, Callable[[Topology, ClusterPlan], Reason]] = {
    "AmbientGateway": _said("ambient workloads of other networks come in here", "istio.dataPlane", "network"),
    "AttachedCluster": _KUBECONFIG,
    "CaCerts": _CACERTS,
    "CertManagerCaCerts": _CACERTS,
    "Cni": _said("the CNI plugin redirects traffic instead of init containers", "istio.cni", "istio.dataPlane"),
    "CrossMeshGateway": _said("other meshes reach here what is exported", "crossMesh"),
    "DefaultValidator": _said("the API server asks istiod whether Istio's resources are valid", "istio.install"),
    "EastWestGateway": _gateway,
    "ExternalIstiod": _said("it runs the control plane of other clusters", "role"),
    "GkeCluster": _said("the document has the cluster made on Google Cloud", "create.gke"),
    "IbmCluster": _said("the document has the cluster made on IBM Cloud", "create.ibm"),
    "Grafana": _said("the document asks for it, and this is the cluster of the add-ons", "addons.grafana"),
    "Istiod": _plane,
    "IstioBase": _said(
        "Istio is installed of its charts: CRDs and the readers' account", "istio.install", "istio.crds"
    ),
    "K3sCluster": _said("the cluster is one of k3s", "k3s"),
    "Jaeger": _said("the document asks for it, and this is the cluster of the add-ons", "addons.jaeger"),
    "Kiali": _said("the document asks for it, and this is the cluster of the add-ons", "addons.kiali"),
    "KialiReader": _said("Kiali reads this cluster from another one, as its own account", "addons.kiali"),
    "KialiRemoteSecret": _said("Kiali reads this cluster from another one", "addons.kiali"),
    "LogCollector": _said("proxies send access logs by OTLP, which Loki takes from a collector", "addons.loki"),
    "Loki": _said("the document asks for it, and this is the cluster of the add-ons", "addons.loki"),
    "MeshTelemetry": _said("proxies send traces and logs to the add-ons", "addons.jaeger", "addons.loki"),
    "Prometheus": _said("metrics are collected here, or fetched from all clusters", "addons.prometheus"),
    "ServiceElsewhere": _said("what is called here runs in another cluster, and the mesh leads there", "addons"),
    "MeshTrust": _said("the mesh trusts other meshes, whose roots and services are configured here", "crossMesh"),
    "ReaderAccount": _said(
        "clusters are read by an account with no more rights than istiod asks for", "discovery.account"
    ),
    "ReaderToken": _token,
    "RemoteIstiod": _plane,
    "RemoteSecretBundle": _bundle,
    "RequestedToken": _token,
    "RevisionTag": _said("namespaces follow the tag, and the tag points at a revision", "tags", "istio.tags"),
    "RootNamespace": _said("Istio's root namespace, labelled with the cluster's network", "network", "namespace"),
    "StackCluster": _said("another stack made the cluster, and exports it", "stackReference"),
    "Waypoint": _said("ztunnel reads no requests; a waypoint leads those that come to its namespace", "waypoints"),
    "Ztunnel": _said("ambient workloads have no proxy of their own; ztunnel carries them", "istio.dataPlane"),
    "cluster": lambda _, found: (
        f"the document has it, as {found.role} in network {found.settings.network}",
        ("name",),
    ),
}
_OF_MESH: Mapping[str, tuple[str, str]] = {
    "RootCA": ("one root for the mesh: workloads of all clusters trust each other", "trust"),
    "MeshFederation": ("the mesh itself", "(document)"),
    "GkeNetwork": ("clusters made on Google Cloud share a VPC for their network", "addresses"),
}
