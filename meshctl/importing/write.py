"""From what the clusters say to the document: what is as the defaults have it is left out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mesh_components.settings import MeshSettings, parse
from mesh_components.settings.gateway import EastWestSettings, GatewaySize
from mesh_components.topology import names
from mesh_components.topology.plan import plan
from meshctl.importing import told
from meshctl.importing.doors import Door
from meshctl.importing.read import Found, host_of
from meshctl.importing.wrong import wrong

_READ = {"id", "trust_domain", "istio", "trust", "discovery", "clusters"}
_NOT_READ = [field.alias or key for key, field in MeshSettings.model_fields.items() if key not in _READ]


@dataclass(frozen=True)
class Imported:
    """The document, and what a person has to look at."""

    document: dict[str, Any]
    notes: tuple[str, ...]


class ImportError_(ValueError):  # noqa: N801, N818 (Python has an ImportError of its own)
    """What was read is no mesh that a document can say: what, and what to do."""


def imported(found: Iterable[Found], root: str, kubeconfigs: Mapping[str, Mapping[str, str]]) -> Imported:
    """Make the document.

    Args:
        found: the clusters, in the order in which they are to stand.
        root: the root namespace.
        kubeconfigs: where each cluster's is, as the document says it.

    Raises:
        ImportError_: when there is no istiod, or the clusters are of several meshes.
    """
    clusters = list(found)
    if not any(item.istiods for item in clusters):
        raise ImportError_(f"no istiod runs in the namespace {root} of any of these clusters; name another --namespace")
    writer = _Writer(clusters, root)
    document = writer.document(kubeconfigs)
    mesh = parse(document)
    for entry, cluster, planned in zip(document["clusters"], clusters, plan(mesh).clusters, strict=True):
        there = cluster.between_networks is not None
        if planned.role != "external" and (planned.east_west or bool(planned.ambient_gateway)) != there:
            entry.setdefault("eastWest", {})["enabled"] = there
    return Imported(document, tuple(writer.notes(mesh)))


class _Writer:
    def __init__(self, clusters: list[Found], root: str) -> None:
        self._clusters = clusters
        self._root = root
        self._serving = [item for item in clusters if item.istiods]
        first = self._serving[0]
        self._values = first.values.get(first.istiods[0].revision, {})
        self._ours = all(istiod.ours for item in self._serving for istiod in item.istiods)
        self._unreadable: list[str] = []

    def document(self, kubeconfigs: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
        said = self._mesh_config()
        domain = said.get("trustDomain")
        bundled = any(names.BUNDLED_SECRET in item.announced for item in self._clusters)
        return {
            "id": self._id(),
            **_unless({"trustDomain": domain or "cluster.local"}, {"trustDomain": "cluster.local"}),
            "istio": self._istio(),
            **({"trust": {"source": {"intermediates": own}}} if (own := self._intermediates()) else {}),
            **({"discovery": {"secrets": "bundled"}} if bundled else {}),
            "clusters": [self._cluster(item, kubeconfigs[item.name]) for item in self._clusters],
        }

    def notes(self, mesh: MeshSettings) -> Iterator[str]:
        """What was not read, or does not fit."""
        yield "istio.charts: a cluster does not say where its charts came from; add `folder` or `oci` if you use one"
        yield (
            f"not read: {', '.join(sorted(_NOT_READ))}, istio.values; add those that the mesh has, or a preview "
            "deletes them"
        )
        yield from self._trust_notes()
        yield "clusters[].apiServer: how peers reach it is not read; add `address` where the kubeconfig names another"
        if not self._ours:
            yield "istio.install: an istiod was not made by this library, so it is `none`: something else installs it"
        for edge in plan(mesh).edges:
            reader = next(item for item in self._clusters if item.name == edge.reader)
            held = {names.remote_secret(edge.source), names.BUNDLED_SECRET} & reader.announced
            if not held and not edge.config:
                yield f"discovery: {edge.reader} holds no remote secret for {edge.source}; one would be made"
        yield from self._unreadable
        for item in self._clusters:
            yield from item.ways.notes
            if item.gateway_api:
                yield (
                    f"istio.gatewayApi: this library made the CRDs of the Gateway API in {item.name}; name their file, "
                    "and write `gatewayApi: false` for clusters that had them before"
                )
            if item.foreign:
                yield (
                    f"clusters[].adopt: {', '.join(sorted(item.foreign))} made objects of the mesh in {item.name}; the "
                    "next `up` takes them over, and after it `adopt` can be taken out"
                )

    def _trust_notes(self) -> Iterator[str]:
        foreign = sorted({maker for item in self._serving for maker in item.cacerts or ()})
        if foreign:
            yield (
                f"trust.source: {', '.join(foreign)} made `cacerts`; put its texts where the document names them, or "
                "name the source that makes them: without one there would be a new root"
            )
        else:
            yield "trust: lifetimes, algorithm and source are not read; add what differs from the defaults"
        for item in self._serving:
            if item.cacerts is None:
                yield (
                    f"trust: {item.name} has no `cacerts`, so its istiod signs with a root of its own; `up` would give "
                    "it another one, which cuts off every workload that has not restarted"
                )

    def _mesh_config(self) -> Mapping[str, Any]:
        return next((item.mesh_config for item in self._clusters if item.mesh_config), {})

    def _id(self) -> str:
        stated = {
            str(found)
            for item in self._clusters
            for values in item.values.values()
            if (found := (values.get("global") or {}).get("meshID"))
        }
        stated |= {
            str(found)
            for item in self._clusters
            if (found := (item.mesh_config.get("defaultConfig") or {}).get("meshId"))
        }
        if len(stated) > 1:
            raise ImportError_(f"the clusters are of several meshes: {', '.join(sorted(stated))}; import one at a time")
        return stated.pop() if stated else "mesh1"

    def _istio(self) -> dict[str, Any]:
        revisions: dict[str, str] = {}
        for item in self._serving:
            revisions |= {istiod.revision: istiod.version for istiod in item.istiods}
        default = "" if "" in revisions else sorted(revisions)[0]
        plane = "sidecar"
        if any(item.ztunnel or item.ambient_gateway for item in self._clusters):
            plane = "mixed" if any(item.east_west for item in self._clusters) else "ambient"
        tags = Counter(pair for item in self._clusters for pair in item.tags.items())
        stated: dict[str, Any] = {
            "version": revisions[default],
            "namespace": self._root,
            "install": "charts" if self._ours else "none",
            "dataPlane": plane,
            "revision": default,
            "tags": {tag: revision for (tag, revision), count in sorted(tags.items()) if count == len(self._clusters)},
            "pilot": self._told("pilot", told.pilot),
            "meshConfig": self._told("meshConfig", self._mesh_settings) if self._ours else {},
            "networkPolicies": self._network_policies(),
        }
        if len(revisions) > 1:
            stated["revisions"] = [{"name": name, "version": version} for name, version in sorted(revisions.items())]
        defaults = {"namespace": "istio-system", "install": "charts", "dataPlane": "sidecar", "revision": ""}
        return _unless(stated, {**defaults, "tags": {}, "pilot": {}, "meshConfig": {}, "networkPolicies": False})

    def _told(self, key: str, read: Callable[[told.Values], dict[str, Any]]) -> dict[str, Any]:
        try:
            return read(self._values)
        except told.UnreadableError as error:
            self._unreadable.append(f"istio.{key}: not read: {error}")
            return {}

    def _mesh_settings(self, values: told.Values) -> dict[str, Any]:
        """What of the mesh config was asked for. Some hosts stay in their cluster without that."""
        ways = [item.ways.egress for item in self._clusters if item.ways.egress and item.ways.egress.gateway]
        istiods = {istiod.revision for item in self._clusters for istiod in item.istiods}
        derived = {names.service_host(way.name, way.namespace) for way in ways}
        return told.mesh_config(values, derived | {names.istiod_service(name, self._root) for name in istiods})

    def _network_policies(self) -> bool:
        doors = (item.between_networks or item.external_gateway for item in self._clusters)
        return told.network_policies(self._values) or any(door.network_policy for door in doors if door)

    def _cluster(self, found: Found, kubeconfig: Mapping[str, str]) -> dict[str, Any]:
        role = self._role(found)
        door = found.external_gateway if role == "external" else found.between_networks
        stated = {
            "name": found.name,
            "role": role,
            "controlPlane": self._server(found) if role == "remote" else "",
            "network": self._network(found),
            "platform": found.platform,
            "kubeconfig": dict(kubeconfig),
            "adopt": bool(found.foreign),
            "eastWest": self._door(found, door),
            **self._ways(found),
            "namespace": found.namespace,
        }
        usual = "create" if self._ours else "patch"
        left = {"role": "primary", "controlPlane": "", "platform": "generic", "adopt": False}
        left |= {"eastWest": {}, "ingress": [], "egress": None}
        return _unless(stated, {**left, "namespace": None if found.namespace is None else usual})

    def _role(self, found: Found) -> str:
        if found.istiods:
            return "external" if names.CONFIG_SECRET in found.secrets else "primary"
        config = any((values.get("global") or {}).get("configCluster") for values in found.values.values())
        return "config" if config else "remote"

    def _intermediates(self) -> dict[str, Any]:
        """Where the signing certificates are to be put that something else has made: without them there would be a new
        root."""
        if not any(item.cacerts for item in self._serving):
            return {}
        return {
            item.name: {
                "certificate": {"file": f"{item.name}/ca-cert.pem"},
                "key": {"secret": f"{item.name}Key"},
                "chain": {"file": f"{item.name}/cert-chain.pem"},
                "root": {"file": f"{item.name}/root-cert.pem"},
            }
            for item in self._serving
        }

    def _server(self, found: Found) -> str:
        """Where only one could serve it, nothing has to be said."""
        return found.served_by if len(self._serving) > 1 else ""

    def _network(self, found: Found) -> str:
        stated = {str((values.get("global") or {}).get("network") or "") for values in found.values.values()}
        # Where an external control plane runs there are no workloads, and so nothing says a network.
        return found.network or (
            f"network-{found.name}" if self._role(found) == "external" else max(stated, default="")
        )

    def _door(self, found: Found, door: Door | None) -> dict[str, Any]:
        stated: dict[str, Any] = {}
        if door is not None:
            settings = door.settings(found.platform) | {"hosts": found.hosts or EastWestSettings().hosts}
            try:
                stated = _dumped(EastWestSettings.model_validate(settings), self._default())
            except ValidationError as error:
                self._unreadable.append(f"clusters[].eastWest: of {found.name} not read: {wrong(error)}")
        hosts = {host_of(values) for item in self._served(found) for values in item.values.values()} - {""}
        return {**stated, **({"address": min(hosts)} if hosts else {})}

    def _ways(self, found: Found) -> dict[str, Any]:
        """Between the mesh and the world outside. Their proxies are injected as those between the networks are."""
        door = found.between_networks
        revision = door.size()["revision"] if door else self._default()
        leaving = found.ways.egress
        return {
            "ingress": [_dumped(way, revision) for way in found.ways.ingress],
            "egress": None if leaving is None else _dumped(leaving, revision),
        }

    def _default(self) -> str:
        revisions = [istiod.revision for item in self._serving for istiod in item.istiods]
        return "" if "" in revisions else min(revisions)

    def _served(self, found: Found) -> list[Found]:
        if not found.istiods:
            return []
        others = [item for item in self._clusters if not item.istiods]
        return [item for item in others if len(self._serving) == 1 or item.served_by == found.name]


def _dumped(settings: GatewaySize, revision: str) -> dict[str, Any]:
    """What differs from the defaults; `revision` is who injects it where nothing is said."""
    usual = settings.model_copy(update={"revision": None}) if settings.revision == revision else settings
    return usual.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _unless(stated: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What differs from the defaults."""
    return {key: value for key, value in stated.items() if key not in defaults or value != defaults[key]}
