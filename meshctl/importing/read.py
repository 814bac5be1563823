"""What the API server of one cluster says of the mesh that it is in. Reads only; of Secrets the names and labels."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from mesh_components.settings.kubeconfig import Kubeconfig
from mesh_components.settings.location import Platform
from mesh_components.topology import names
from meshctl.importing import doors, makers
from meshctl.importing.asking import GATEWAY_API, NETWORKING, Asking, Object
from meshctl.importing.doors import Door
from meshctl.importing.ways import Ways, WaysReader
from meshctl.lab.pretend import NODE

PROVIDERS: Mapping[str, Platform] = {"gce": "gke", "ibm": "ibm", "aws": "eks", "azure": "aks", "kind": "kind"}
"""Platform by how a node names its machine."""


@dataclass(frozen=True)
class Istiod:
    """One control plane that runs here."""

    revision: str
    version: str
    ours: bool
    """This library has made it."""


@dataclass(frozen=True)
class Found:
    """One cluster."""

    name: str
    platform: Platform
    network: str
    """As the root namespace says it."""
    served_by: str
    """What the root namespace names as its control plane."""
    istiods: tuple[Istiod, ...]
    tags: Mapping[str, str]
    values: Mapping[str, Mapping[str, Any]]
    """Of the chart `istiod`, by revision: what it was told."""
    mesh_config: Mapping[str, Any]
    secrets: frozenset[str]
    """Names in the root namespace."""
    announced: frozenset[str]
    """Names of those with which istiod reads other clusters."""
    east_west: Door | None
    ambient_gateway: Door | None
    external_gateway: Door | None
    ztunnel: bool
    hosts: tuple[str, ...] = field(default=())
    """Which services the east-west gateway exposes."""
    namespace: Literal["create", "patch"] | None = None
    """Whether this library has made the root namespace; None where nothing tells it."""
    foreign: frozenset[str] = frozenset()
    """Who else has made what the mesh has here besides control planes."""
    cacerts: frozenset[str] | None = None
    """Who else has made the signing certificate; None where there is none."""
    ways: Ways = field(default_factory=Ways)
    """Between the mesh and the world outside."""
    gateway_api: bool = False
    """This library has made the CRDs of the Gateway API."""

    @property
    def between_networks(self) -> Door | None:
        """The gateway, or one of the two, through which other networks come: both are asked for by the same words."""
        return self.east_west or self.ambient_gateway


class Reader:
    """Asks one API server."""

    def __init__(self, name: str, kubeconfig: Kubeconfig) -> None:
        self.name = name
        self._asking = Asking(name, kubeconfig)

    def namespaces(self) -> set[str]:
        """Those with the label of a network: the root namespace has it."""
        found = self._asking.all("/api/v1/namespaces", names.NETWORK_LABEL)
        return {item["metadata"]["name"] for item in found}

    def read(self, root: str) -> Found:
        """Everything. Raises ApiError, or Unreachable."""
        ask, inside = self._asking, f"/api/v1/namespaces/{root}"
        metadata = (ask.one(inside) or {}).get("metadata") or {}
        secrets = {str(item["name"]): item for item in ask.secrets(root)}
        maps = {item["metadata"]["name"]: item.get("data") or {} for item in ask.all(f"{inside}/configmaps")}
        istiods = tuple(
            _istiod(item) for item in ask.all(f"/apis/apps/v1/namespaces/{root}/deployments") if _runs(item, "istiod")
        )
        exposed = ask.one(f"{NETWORKING}/namespaces/{root}/gateways/{names.CROSS_NETWORK_GATEWAY}")
        announced = frozenset(
            name for name, item in secrets.items() if (item.get("labels") or {}).get(names.MULTI_CLUSTER_LABEL)
        )
        made = {name: makers.others(item) for name, item in secrets.items()}
        east_west, ambient = doors.proxy(ask, root, names.EAST_WEST_GATEWAY), self._ambient(root)
        values, tags = _values(maps), self._tags()
        external = [(names.LOCAL_NAMESPACE, names.INGRESS_GATEWAY)] if names.CONFIG_SECRET in secrets else []
        revisions = {*(item.revision for item in istiods), *values}
        return Found(
            name=self.name,
            platform=self._platform(),
            network=str((metadata.get("labels") or {}).get(names.NETWORK_LABEL, "")),
            served_by=str((metadata.get("annotations") or {}).get(names.CONTROL_PLANE_ANNOTATION, "")),
            istiods=tuple(sorted(istiods, key=lambda item: item.revision)),
            tags=tags,
            values=values,
            mesh_config=doors.as_yaml(next((maps[name]["mesh"] for name in sorted(maps) if "mesh" in maps[name]), "")),
            secrets=frozenset(secrets),
            announced=announced,
            east_west=east_west,
            ambient_gateway=ambient,
            external_gateway=doors.proxy(ask, names.LOCAL_NAMESPACE, names.INGRESS_GATEWAY) if external else None,
            ztunnel=any(_runs(item, "ztunnel") for item in ask.all("/apis/apps/v1/daemonsets")),
            hosts=tuple(host for server in _servers(exposed) for host in server.get("hosts") or ()),
            namespace=_namespace(metadata),
            foreign=frozenset().union(
                *(door.others for door in (east_west, ambient) if door),
                *(made[name] for name in announced | ({names.CACERTS, names.CONFIG_SECRET} & made.keys())),
                makers.others(exposed["metadata"]) if exposed else (),
            ),
            cacerts=made.get(names.CACERTS),
            ways=WaysReader(ask, root, _among(revisions, tags)).read(*external),
            gateway_api=self._made_gateway_api(),
        )

    def _ambient(self, namespace: str) -> Door | None:
        gateway = self._asking.one(f"{GATEWAY_API}/namespaces/{namespace}/gateways/{names.AMBIENT_GATEWAY}")
        return None if gateway is None else doors.api_gateway(self._asking, gateway)

    def _made_gateway_api(self) -> bool:
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        found = self._asking.one(f"{crds}/gateways.gateway.networking.k8s.io")
        return found is not None and not makers.others(found["metadata"])

    def _tags(self) -> dict[str, str]:
        path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
        labels = [item["metadata"].get("labels") or {} for item in self._asking.all(path, "istio.io/tag")]
        return {str(item["istio.io/tag"]): _revision(item) for item in labels}

    def _platform(self) -> Platform:
        for node in self._asking.all("/api/v1/nodes"):
            if node["metadata"]["name"] == NODE:
                return "lab"
            return PROVIDERS.get(str(node.get("spec", {}).get("providerID", "")).partition(":")[0], "generic")
        return "generic"


def _runs(workload: Object, app: str) -> bool:
    """By what it selects: that cannot change, and everybody's installer writes it."""
    return bool((workload["spec"]["selector"].get("matchLabels") or {}).get("app") == app)


def _istiod(deployment: Object) -> Istiod:
    labels = {**deployment["metadata"].get("labels", {}), **deployment["spec"]["selector"].get("matchLabels", {})}
    return Istiod(_revision(labels), _version(deployment, labels), ours=not makers.others(deployment["metadata"]))


def _namespace(metadata: Mapping[str, Any]) -> Literal["create", "patch"] | None:
    creators = makers.created_by(metadata)
    if not creators:
        return None
    return "create" if all(map(makers.is_ours, creators)) else "patch"


def _revision(labels: Mapping[str, Any]) -> str:
    found = str(labels.get(names.REVISION_LABEL, ""))
    return "" if found == names.UNNAMED_REVISION else found


def _version(deployment: Object, labels: Mapping[str, Any]) -> str:
    """By the image, else by what Helm has written down."""
    image = str(deployment["spec"]["template"]["spec"]["containers"][0].get("image", ""))
    tag = image.partition("@")[0].rpartition(":")[2].partition("-")[0]
    if tag.count(".") == 2 and tag[0].isdigit():
        return tag
    chart = str(labels.get("helm.sh/chart", "")).rpartition("-")[2]
    return chart or str(labels.get("app.kubernetes.io/version", ""))


def _among(revisions: Collection[str], tags: Mapping[str, str]) -> Callable[[str], bool]:
    """Whether a revision, or a tag, is of this mesh: there may be others in the cluster."""

    def is_ours(label: str) -> bool:
        name = "" if label == names.UNNAMED_REVISION else label
        return not revisions or tags.get(label, name) in revisions

    return is_ours


def _values(maps: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for name, data in maps.items():
        if name.partition("-")[0] != "values" or "original-values" not in data:
            continue
        values = json.loads(data["original-values"])
        found[str(values.get("revision") or "")] = values
    return found


def _servers(gateway: Object | None) -> list[Object]:
    return list(((gateway or {}).get("spec") or {}).get("servers") or ())


def host_of(values: Mapping[str, Any]) -> str:
    """Of a cluster that is served from elsewhere: by which host name its webhook calls istiod; empty where by none."""
    url = str((values.get("istiodRemote") or {}).get("injectionURL") or "")
    host = urlsplit(url).hostname or ""
    return "" if not host or names.is_ip(host) else host
