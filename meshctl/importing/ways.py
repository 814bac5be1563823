"""The ways between the mesh and the world outside that this library has made in a cluster, as a document says them.

What somebody else has made is left to them: a note names it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from mesh_components.gateways import egress_objects, ingress_objects
from mesh_components.settings.egress import EgressSettings
from mesh_components.settings.ingress import IngressSettings
from mesh_components.topology import names
from meshctl.importing import doors, inward, makers, outward
from meshctl.importing.asking import GATEWAY_API, NETWORKING, Asking, Object
from meshctl.importing.doors import Door
from meshctl.importing.wrong import wrong
from meshctl.local.providers.kubernetes.compare import lacking

RULES = {"Gateway": "gateways", "VirtualService": "virtualservices", "DestinationRule": "destinationrules"}
"""Istio's resources beside a gateway, with the names of their collections."""


@dataclass(frozen=True)
class Ways:
    """Of one cluster."""

    ingress: tuple[IngressSettings, ...] = ()
    egress: EgressSettings | None = None
    notes: tuple[str, ...] = ()


@dataclass
class _Space:
    """What a namespace holds of it."""

    objects: list[Object]
    secrets: frozenset[str]
    """Names of those that this library has made."""
    made: bool
    """This library has made the namespace, or the mesh has it anyway."""


@dataclass
class WaysReader:
    """Asks one API server."""

    asking: Asking
    root: str
    """The root namespace."""
    revision: Callable[[str], bool]
    """Whether proxies of this revision, or tag, are of this mesh."""
    notes: list[str] = field(default_factory=list)

    def read(self, *others: tuple[str, str]) -> Ways:
        """Everything; `others` are namespaces and names of gateways that are for something else."""
        ingress: list[IngressSettings] = []
        outward_: list[EgressSettings] = []
        for namespace, name, door in self._proxies(others):
            space = self._space(namespace)
            if self._reads_secrets(namespace, name):
                ingress += self._ingress(inward.istio, namespace, name, door, space)
            else:
                outward_ += self._egress(namespace, name, door, space)
        for gateway in self._api_gateways():
            namespace, name = gateway["metadata"]["namespace"], gateway["metadata"]["name"]
            space = self._space(namespace, [gateway])
            ingress += self._ingress(
                inward.gateway_api, namespace, name, doors.api_gateway(self.asking, gateway), space
            )
        if not outward_:
            for namespace in self._declared():
                outward_ += self._egress(namespace, names.EGRESS_GATEWAY, None, self._space(namespace))
        for more in outward_[1:]:
            self.notes.append(f"clusters[].egress: {self.asking.name} has another one in {more.namespace}; not read")
        return Ways(tuple(ingress), outward_[0] if outward_ else None, tuple(self.notes))

    def _proxies(self, others: Collection[tuple[str, str]]) -> Iterator[tuple[str, str, Door]]:
        for item in self.asking.all("/apis/apps/v1/deployments", "app.kubernetes.io/part-of=istio"):
            metadata, template = item["metadata"], item["spec"]["template"].get("metadata") or {}
            namespace, name = metadata["namespace"], metadata["name"]
            is_gateway = (template.get("annotations") or {}).get("inject.istio.io/templates") == "gateway"
            taken = name in (names.EAST_WEST_GATEWAY, names.CROSS_MESH_GATEWAY) or (namespace, name) in others
            if not is_gateway or taken or not self._is_of_this_mesh(template):
                continue
            door = None if self._is_theirs(namespace, metadata) else doors.proxy(self.asking, namespace, name)
            if door is not None:
                yield namespace, name, door

    def _api_gateways(self) -> Iterator[Object]:
        for item in self.asking.all(f"{GATEWAY_API}/gateways"):
            metadata = item["metadata"]
            if item["spec"].get("gatewayClassName") != "istio" or not self._is_of_this_mesh(metadata):
                continue
            if not self._is_theirs(metadata["namespace"], metadata):
                yield {"kind": "Gateway", **item}

    def _declared(self) -> list[str]:
        """Namespaces in which hosts outside of the mesh are declared, as a document's egress does it."""
        found = self.asking.all(f"{NETWORKING}/serviceentries")
        ours = [item for item in found if outward.declares(item) and not makers.others(item["metadata"])]
        return sorted({item["metadata"]["namespace"] for item in ours})

    def _is_of_this_mesh(self, metadata: Mapping[str, Any]) -> bool:
        return self.revision(str((metadata.get("labels") or {}).get(names.REVISION_LABEL, "")))

    def _is_theirs(self, namespace: str, metadata: Mapping[str, Any]) -> bool:
        foreign = makers.others(metadata)
        if foreign:
            place = f"{namespace}/{metadata['name']} of {self.asking.name}"
            who = ", ".join(sorted(foreign))
            self.notes.append(f"clusters[].ingress, egress: the gateway {place} is not read: {who} made it")
        return bool(foreign)

    def _reads_secrets(self, namespace: str, name: str) -> bool:
        """A way in may read certificates there; a way out may not."""
        roles = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles"
        return self.asking.one(f"{roles}/{name}") is not None

    def _space(self, namespace: str, gateways: Iterable[Object] = ()) -> _Space:
        """With what leads from the Gateways of the Gateway API, where those are given, else what Istio's do."""
        given = list(gateways)
        kinds = {"HTTPRoute": f"{GATEWAY_API}/namespaces/{namespace}/httproutes"}
        if not given:
            kinds = {kind: f"{NETWORKING}/namespaces/{namespace}/{plural}" for kind, plural in RULES.items()}
            kinds["ServiceEntry"] = f"{NETWORKING}/namespaces/{namespace}/serviceentries"
        found = [{**item, "kind": kind} for kind, path in kinds.items() for item in self.asking.all(path)]
        about = (self.asking.one(f"/api/v1/namespaces/{namespace}") or {}).get("metadata") or {}
        creators = makers.created_by(about)
        return _Space(
            objects=[*given, *(item for item in found if not makers.others(item["metadata"]))],
            secrets=frozenset(str(item["name"]) for item in self.asking.secrets(namespace) if not makers.others(item)),
            made=namespace == self.root or all(map(makers.is_ours, creators)),
        )

    def _ingress(
        self, reading: Callable[..., IngressSettings], namespace: str, name: str, door: Door, space: _Space
    ) -> Iterator[IngressSettings]:
        place = f"clusters[].ingress: {namespace}/{name} of {self.asking.name}"
        try:
            found = reading(name, namespace, door, space.objects, cluster=self.asking.name, credentials=space.secrets)
        except ValidationError as error:
            self.notes.append(f"{place} is not read: {wrong(error)}")
            return
        described = ingress_objects.Ingress(found.name, found.namespace, found.ports, found.hosts)
        say = ingress_objects.istio if found.api == "istio" else ingress_objects.http_routes
        self._compared(place, lambda: say(described), space)
        ours = sorted(host.host for host in found.hosts if host.tls and host.tls.certificate)
        if ours:
            self.notes.append(
                f"{place}: put the certificate and key of {', '.join(ours)} where the document names them"
            )
        yield found.model_copy(update={"create_namespace": space.made})

    def _egress(self, namespace: str, name: str, door: Door | None, space: _Space) -> Iterator[EgressSettings]:
        place = f"clusters[].egress: {namespace} of {self.asking.name}"
        try:
            found = outward.egress(name, namespace, door, space.objects)
        except ValidationError as error:
            self.notes.append(f"{place} is not read: {wrong(error)}")
            return
        said = egress_objects.Egress(found.name, found.namespace, found.hosts, found.gateway)
        self._compared(place, lambda: {**egress_objects.declared(said), **egress_objects.routes(said)}, space)
        yield found.model_copy(update={"create_namespace": space.made})

    def _compared(self, place: str, said: Callable[[], Mapping[str, Any]], space: _Space) -> None:
        """Note what is there and says something else than the document now does."""
        from mesh_components.istio.model import InvalidResourceError

        there = {(item["kind"], item["metadata"]["name"]): item.get("spec") for item in space.objects}
        try:
            objects = list(said().values())
        except InvalidResourceError as error:
            self.notes.append(f"{place}: what was read is nothing that Istio takes: {error}")
            return
        for item in objects:
            kind, name = item["kind"], item["metadata"]["name"]
            if any(lacking(item["spec"], there.get((kind, name)))):
                self.notes.append(f"{place}: {kind} {name} says otherwise than the document does; look at its change")
