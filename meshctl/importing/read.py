"""What the API server of one cluster says of the mesh that it is in. Reads only; of Secrets the names and labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from mesh_components.settings.kubeconfig import Kubeconfig
from mesh_components.topology import names
from meshctl.importing import makers
from meshctl.lab.pretend import NODE
from meshctl.local.providers.kubernetes.absence import METADATA
from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.local.providers.kubernetes.errors import ApiError
from meshctl.local.providers.kubernetes.transport import Transport
from meshctl.restart.find import listed

Object = Mapping[str, Any]
PROVIDERS = {"gce": "gke", "ibm": "ibm", "aws": "eks", "azure": "aks", "kind": "kind"}
"""Platform by how a node names its machine."""
SERVICE_TYPE = "networking.istio.io/service-type"
"""Annotation of a Gateway: what Service istiod makes for it."""


@dataclass(frozen=True)
class Door:
    """A gateway's Service and its autoscaler."""

    service_type: str
    annotations: Mapping[str, str]
    source_ranges: tuple[str, ...]
    external_ips: tuple[str, ...]
    min_replicas: int
    max_replicas: int
    revision: str
    others: frozenset[str] = frozenset()
    """Who has made it, where it was not this library."""


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
    platform: str
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

    @property
    def between_networks(self) -> Door | None:
        """The gateway, or one of the two, through which other networks come: both are asked for by the same words."""
        return self.east_west or self.ambient_gateway


class Reader:
    """Asks one API server."""

    def __init__(self, name: str, kubeconfig: Kubeconfig) -> None:
        self.name = name
        self._cluster = Cluster(name, Transport(name, kubeconfig.contents, kubeconfig.context))

    def namespaces(self) -> set[str]:
        """Those with the label of a network: the root namespace has it."""
        found = self._list("/api/v1/namespaces", {"labelSelector": names.NETWORK_LABEL})
        return {item["metadata"]["name"] for item in found}

    def read(self, root: str) -> Found:
        """Everything. Raises ApiError, or Unreachable."""
        inside = f"/api/v1/namespaces/{root}"
        metadata = (self._one(inside) or {}).get("metadata") or {}
        secrets = list(self._list(f"{inside}/secrets", accept=METADATA))
        labelled = [item["metadata"] for item in secrets]
        maps = {item["metadata"]["name"]: item.get("data") or {} for item in self._list(f"{inside}/configmaps")}
        deployments = [
            item for item in self._list(f"/apis/apps/v1/namespaces/{root}/deployments") if _runs(item, "istiod")
        ]
        exposed = self._one(f"/apis/networking.istio.io/v1/namespaces/{root}/gateways/{names.CROSS_NETWORK_GATEWAY}")
        announced = frozenset(
            str(item["name"]) for item in labelled if (item.get("labels") or {}).get(names.MULTI_CLUSTER_LABEL)
        )
        made = {str(item["name"]): makers.others(item) for item in labelled}
        east_west, ambient = self._door(root, names.EAST_WEST_GATEWAY), self._ambient(root, maps)
        return Found(
            name=self.name,
            platform=self._platform(),
            network=str((metadata.get("labels") or {}).get(names.NETWORK_LABEL, "")),
            served_by=str((metadata.get("annotations") or {}).get(names.CONTROL_PLANE_ANNOTATION, "")),
            istiods=tuple(sorted(map(_istiod, deployments), key=lambda item: item.revision)),
            tags=self._tags(),
            values=_values(maps),
            mesh_config=_yaml(next((maps[name]["mesh"] for name in sorted(maps) if "mesh" in maps[name]), "")),
            secrets=frozenset(str(item["name"]) for item in labelled),
            announced=announced,
            east_west=east_west,
            ambient_gateway=ambient,
            external_gateway=self._door(names.LOCAL_NAMESPACE, names.INGRESS_GATEWAY),
            ztunnel=any(_runs(item, "ztunnel") for item in self._list("/apis/apps/v1/daemonsets")),
            hosts=tuple(host for server in _servers(exposed) for host in server.get("hosts") or ()),
            namespace=_namespace(metadata),
            foreign=frozenset().union(
                *(door.others for door in (east_west, ambient) if door),
                *(made[name] for name in announced | ({names.CACERTS, names.CONFIG_SECRET} & made.keys())),
                makers.others(exposed["metadata"]) if exposed else (),
            ),
            cacerts=made.get(names.CACERTS),
        )

    def _door(self, namespace: str, name: str) -> Door | None:
        service = self._one(f"/api/v1/namespaces/{namespace}/services/{name}")
        if service is None:
            return None
        scaler = self._one(f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}") or {}
        proxy = self._one(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}") or {}
        labels = proxy.get("spec", {}).get("template", {}).get("metadata", {}).get("labels") or {}
        spec, scaled = service["spec"], scaler.get("spec") or {}
        return Door(
            service_type=str(spec.get("type", "ClusterIP")),
            annotations=_stated(service),
            source_ranges=tuple(spec.get("loadBalancerSourceRanges") or ()),
            external_ips=tuple(spec.get("externalIPs") or ()),
            min_replicas=int(scaled.get("minReplicas") or 1),
            max_replicas=int(scaled.get("maxReplicas") or 5),
            revision=str(labels.get(names.REVISION_LABEL, "")),
            others=makers.others(service["metadata"]),
        )

    def _ambient(self, namespace: str, maps: Mapping[str, Mapping[str, str]]) -> Door | None:
        """A gateway whose proxy istiod makes: from the Gateway, and the ConfigMap with what is otherwise."""
        path = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/gateways/{names.AMBIENT_GATEWAY}"
        gateway = self._one(path)
        if gateway is None:
            return None
        metadata, asked = gateway["metadata"], gateway["spec"].get("infrastructure") or {}
        patches = maps.get(str((asked.get("parametersRef") or {}).get("name")), {})
        service = _yaml(patches.get("service", "")).get("spec", {})
        scaled = _yaml(patches.get("horizontalPodAutoscaler", "")).get("spec", {})
        return Door(
            service_type=str((metadata.get("annotations") or {}).get(SERVICE_TYPE, "LoadBalancer")),
            annotations=dict(asked.get("annotations") or {}),
            source_ranges=tuple(service.get("loadBalancerSourceRanges") or ()),
            external_ips=tuple(service.get("externalIPs") or ()),
            min_replicas=int(scaled.get("minReplicas") or 1),
            max_replicas=int(scaled.get("maxReplicas") or 5),
            revision=str((metadata.get("labels") or {}).get(names.REVISION_LABEL, "")),
            others=makers.others(metadata),
        )

    def _tags(self) -> dict[str, str]:
        path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
        hooks = self._list(path, {"labelSelector": "istio.io/tag"})
        labels = [item["metadata"].get("labels") or {} for item in hooks]
        return {str(item["istio.io/tag"]): _revision(item) for item in labels}

    def _platform(self) -> str:
        for node in self._list("/api/v1/nodes"):
            if node["metadata"]["name"] == NODE:
                return "lab"
            return PROVIDERS.get(str(node.get("spec", {}).get("providerID", "")).partition(":")[0], "generic")
        return "generic"

    def _one(self, path: str) -> dict[str, Any] | None:
        return self._cluster.get(path)

    def _list(self, path: str, query: Mapping[str, str] | None = None, accept: str = "") -> Iterable[Object]:
        """What is there; of a kind that the cluster does not know, nothing."""
        try:
            if accept:
                return list(self._cluster.request("GET", path, query, accept=accept)[1].get("items") or ())
            return list(listed(self._cluster, path, query))
        except ApiError as error:
            if error.code == 404:
                return []
            raise


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


def _stated(service: Object) -> dict[str, str]:
    """Annotations that somebody wrote, and no controller."""
    written = service["metadata"].get("annotations") or {}
    own: set[str] = set()
    for entry in service["metadata"].get("managedFields") or ():
        if entry.get("operation") == "Apply" and entry.get("subresource") is None:
            fields = entry.get("fieldsV1", {}).get("f:metadata", {}).get("f:annotations", {})
            own |= {key.removeprefix("f:") for key in fields}
    return {key: value for key, value in sorted(written.items()) if key in own}


def _yaml(text: str) -> Mapping[str, Any]:
    import yaml

    found = yaml.safe_load(text) if text else {}
    return found if isinstance(found, dict) else {}


def host_of(values: Mapping[str, Any]) -> str:
    """Of a cluster that is served from elsewhere: by which host name its webhook calls istiod; empty where by none."""
    url = str((values.get("istiodRemote") or {}).get("injectionURL") or "")
    host = urlsplit(url).hostname or ""
    return "" if not host or names.is_ip(host) else host
