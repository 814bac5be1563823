"""The picture of what is there: a few objects of each cluster, compared with the document.

Reads only, and of Secrets only their metadata: the API server keeps what is in them to itself. This shows whether it is
there, and not whether it works.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from mesh_components.settings import MeshSettings
from mesh_components.settings.kubeconfig import Kubeconfig
from mesh_components.topology import names
from meshctl.graph.doors import seen_control, seen_gateways
from meshctl.graph.model import Cluster as Drawn
from meshctl.graph.scene import EMPTY, Part, Scene, State, Thing
from meshctl.local.model import Unreachable
from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.local.providers.kubernetes.errors import ApiError, explain
from meshctl.local.providers.kubernetes.transport import Transport

METADATA = "application/json;as={};g=meta.k8s.io;v=v1"
"""What to accept for metadata alone, https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches."""
AT_ONCE = 16
"""Clusters that are asked at the same time."""
_GRAVE: tuple[State, ...] = ("missing", "differs", "extra")


@dataclass(frozen=True)
class Seen:
    """What was found in one cluster."""

    things: tuple[Thing, ...] = ()
    reads: frozenset[str] = frozenset()
    """Clusters for which it holds a kubeconfig."""
    trouble: str = ""
    """Why nothing was found."""


@dataclass
class Reader:
    """Asks one cluster."""

    cluster: Cluster
    drawn: Drawn
    mesh: MeshSettings
    signs: bool
    _found: list[Thing] = field(default_factory=list)

    def look(self) -> Seen:
        """All of it, or why there is nothing."""
        try:
            self._namespace()
            self._found += self._istiods()
            self._found += self._gateways()
            return Seen(tuple(self._found), frozenset(self._reads()))
        except ApiError as error:
            return Seen(trouble=explain(self.cluster.label, error))
        except Unreachable as error:
            return Seen(trouble=str(error))

    def _namespace(self) -> None:
        name = self.mesh.istio.namespace
        labels = self._labels(f"/api/v1/namespaces/{quote(name)}")
        network = (labels or {}).get(names.NETWORK_LABEL, "")
        wrong = labels is not None and self.drawn.planes and network != self.drawn.network
        what = f'its label says network "{network}", the document "{self.drawn.network}"' if wrong else ""
        self._found.append(Thing(name, "Namespace", what, "differs" if wrong else _is(labels is not None)))
        if self.signs:
            there = self._labels(f"{self._inside('api/v1')}/secrets/{names.CACERTS}") is not None
            self._found.append(Thing(names.CACERTS, "Secret", "the signing certificate", _is(there)))

    def _istiods(self) -> Iterator[Thing]:
        found = {
            item["metadata"]["name"]: item
            for item in self._list(f"{self._inside('apis/apps/v1')}/deployments", labelSelector="app=istiod")
        }
        charts = self.mesh.istio.install == "charts"
        wanted = {names.istiod(revision.name) for revision in self.drawn.istiods} if charts else set(found)
        for name in sorted(wanted | set(found)):
            if name not in found:
                yield Thing(name, "Deployment", "istiod", "missing")
                continue
            ready, asked = found[name].get("status", {}).get("readyReplicas", 0), found[name]["spec"].get("replicas", 1)
            image = found[name]["spec"]["template"]["spec"]["containers"][0].get("image", "").rpartition(":")[2]
            state: State = "extra" if name not in wanted else "there" if ready else "differs"
            yield Thing(name, "Deployment", f"{image}, {ready} of {asked} ready", state)

    def _gateways(self) -> Iterator[Thing]:
        for gateway in self.drawn.gateways:
            inside = f"/api/v1/namespaces/{quote(gateway.namespace or self.mesh.istio.namespace)}"
            service = self.cluster.get(f"{inside}/services/{quote(gateway.name)}")
            if service is None:
                yield Thing(gateway.name, "Service", f"{gateway.kind} gateway", "missing")
                continue
            given = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
            address = ", ".join(item.get("ip") or item.get("hostname") or "" for item in given)
            waits = service["spec"].get("type") == "LoadBalancer" and not address
            where = "it has no address yet" if waits else address or service["spec"].get("type", "ClusterIP")
            yield Thing(gateway.name, "Service", f"{gateway.kind} gateway: {where}", "differs" if waits else "there")

    def _reads(self) -> Iterator[str]:
        """The keys of remote secrets, which are names of clusters; of metadata, the managed fields have them."""
        path = f"{self._inside('api/v1')}/secrets"
        accept = METADATA.format("PartialObjectMetadataList")
        query = {"labelSelector": f"{names.MULTI_CLUSTER_LABEL}=true"}
        for item in self.cluster.request("GET", path, query, accept=accept)[1].get("items") or ():
            for manager in item["metadata"].get("managedFields") or ():
                for part in ("f:data", "f:stringData"):
                    keys = manager.get("fieldsV1", {}).get(part, {})
                    yield from (key.removeprefix("f:") for key in keys if key.startswith("f:"))

    def _labels(self, path: str) -> Mapping[str, str] | None:
        """Labels of an object; None where it is not there."""
        try:
            found = self.cluster.request("GET", path, accept=METADATA.format("PartialObjectMetadata"))[1]
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        return found["metadata"].get("labels") or {}

    def _list(self, path: str, **query: str) -> list[dict[str, Any]]:
        return list(self.cluster.request("GET", path, query)[1].get("items") or ())

    def _inside(self, version: str) -> str:
        return f"/{version}/namespaces/{quote(self.mesh.istio.namespace)}"


def look(
    scene: Scene, mesh: MeshSettings, ways: Mapping[str, Kubeconfig], closed: Mapping[str, str]
) -> dict[str, Seen]:
    """Ask all clusters at the same time; one that is dead delays no other.

    Args:
        scene: of the document.
        mesh: the document.
        ways: how clusters are reached, by name.
        closed: why there is no way to the others.
    """

    def one(drawn: Drawn) -> Seen:
        if drawn.name not in ways:
            return Seen(trouble=closed.get(drawn.name, "nothing says how it is reached"))
        way = ways[drawn.name]
        cluster = Cluster(drawn.name, Transport(drawn.name, way.contents, way.context))
        return Reader(cluster, drawn, mesh, drawn.name in scene.graph.signs).look()

    clusters = scene.graph.clusters()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {cluster.name: seen for cluster, seen in zip(clusters, pool.map(one, clusters), strict=True)}


def with_seen(scene: Scene, seen: Mapping[str, Seen], about: str) -> Scene:
    """The picture of a document with what is there."""
    parts, drawn = scene.owned(), {cluster.name: cluster for cluster in scene.graph.clusters()}
    for name, here in seen.items():
        state, note = _summed(here)
        doors = seen_gateways(drawn[name], here.things)
        parts[name, ""] = replace(parts[name, ""], things=here.things, state=state, note=note, gateways=doors)
    pairs = [pair for pair in parts if all(pair)]
    for reader, source in pairs:
        state, note = ("", "mounted files are not looked at") if scene.graph.mounted else _pair(seen[reader], source)
        parts[reader, source] = replace(parts[reader, source], state=state, note=note, things=())
    for reader, here in seen.items():
        for source in sorted(here.reads - {other for one, other in pairs if one == reader}):
            parts[reader, source] = Part(state="extra")
            parts.setdefault((source, ""), replace(EMPTY, state="extra", note=f"{reader} reads it"))
    for link in scene.graph.control:
        pair, way = (link.cluster, link.server), seen_control(link, drawn[link.server], seen[link.server].things)
        parts[pair] = replace(parts.get(pair, EMPTY), control=way)
    return replace(scene.having(parts), source="live", about=about)


def _summed(seen: Seen) -> tuple[State, str]:
    if seen.trouble:
        return "unknown", seen.trouble
    states = [thing.state for thing in seen.things]
    state: State = next((grave for grave in _GRAVE if grave in states), "there")
    return state, ", ".join(thing.name for thing in seen.things if thing.state == state != "there")


def _pair(seen: Seen, source: str) -> tuple[State, str]:
    if seen.trouble:
        return "unknown", "its reader could not be asked"
    return ("there", "") if source in seen.reads else ("missing", f"the reader holds no kubeconfig for {source}")


def _is(there: bool) -> State:
    return "there" if there else "missing"
