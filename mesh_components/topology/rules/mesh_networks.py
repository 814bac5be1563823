"""`meshNetworks`: what the document tells istiod of gateways that it cannot discover
(https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshNetworks)."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.topology.names import is_ip
from mesh_components.topology.plan import networks
from mesh_components.topology.rules.context import Context, error, quoted, quoted_key, warning
from mesh_components.topology.rules.exposure import is_host_name


def unknown(context: Context) -> Iterator[Finding]:
    """MESH211. A network of nobody in the mesh is fine where ranges say who is in it, such as virtual machines."""
    for name, network in context.mesh.istio.mesh_networks.items():
        for position, endpoints in enumerate(network.endpoints):
            registry = endpoints.from_registry
            if registry is None:
                continue
            index = context.index(registry)
            if index is None:
                problem, fix = f"no cluster is called {quoted(registry)}", "write the name of a cluster"
            elif context.mesh.clusters[index].network != name:
                there = context.mesh.clusters[index].network
                problem = f'"{registry}" is in network {quoted(there)}, as its root namespace says, which counts'
                fix = "write the network's entry under that name"
            else:
                continue
            place = f"istio.meshNetworks.{quoted_key(name)}.endpoints[{position}].fromRegistry"
            yield error("MESH211", place, f"{problem}; no endpoint would be in this network because of it", fix)
        if name not in networks(context.mesh) and not network.endpoints:
            yield error(
                "MESH211",
                f"istio.meshNetworks.{quoted_key(name)}",
                "no cluster is in this network, and no endpoints are said to be, so nobody comes to its gateways",
                "write the network's name as `clusters[].network` has it, or say which endpoints are in it",
            )


def keys(context: Context) -> Iterator[Finding]:
    """MESH212. Each of them is one of two (a `oneof` of Istio's API); istiod takes neither for nothing at all."""
    for name, network in context.mesh.istio.mesh_networks.items():
        for position, endpoints in enumerate(network.endpoints):
            yield from _one_of(
                f"istio.meshNetworks.{quoted_key(name)}.endpoints[{position}]",
                {"fromRegistry": endpoints.from_registry, "fromCidr": endpoints.from_cidr},
            )
        for position, gateway in enumerate(network.gateways):
            yield from _one_of(
                f"istio.meshNetworks.{quoted_key(name)}.gateways[{position}]",
                {"address": gateway.address, "registryServiceName": gateway.registry_service_name},
            )


def addresses(context: Context) -> Iterator[Finding]:
    """MESH210. istiod refuses all of `meshNetworks` for one of these (pkg/config/validation/agent)."""
    for name, network in context.mesh.istio.mesh_networks.items():
        for position, gateway in enumerate(network.gateways):
            for key, stated in (("address", gateway.address), ("registryServiceName", gateway.registry_service_name)):
                ip = stated is not None and key == "address" and is_ip(stated)
                if stated is not None and not ip and not is_host_name(stated):
                    yield error(
                        "MESH210",
                        f"istio.meshNetworks.{quoted_key(name)}.gateways[{position}].{key}",
                        f"{quoted(stated)} is {'neither an IP nor' if key == 'address' else 'not'} a DNS name, and for "
                        "one such entry istiod refuses all of `meshNetworks`",
                        "write it without scheme and port; `port` has a key of its own",
                    )


def _one_of(place: str, stated: dict[str, str | None]) -> Iterator[Finding]:
    count = sum(value is not None for value in stated.values())
    if count != 1:
        both = " and ".join(f"`{key}`" for key in stated)
        yield error(
            "MESH212",
            place,
            f"it has {'both' if count else 'neither'} of {both}, and each entry is one of the two",
            "write one of them" if not count else "take one of them out, or make two entries",
        )


def not_for_ambient(context: Context) -> Iterator[Finding]:
    """MESH211, for who reads it: ambient knows Gateways only (pilot/pkg/serviceregistry/ambient/networks.go)."""
    istio = context.mesh.istio
    if istio.mesh_networks and istio.data_plane == "ambient":
        yield warning(
            "MESH211",
            "istio.meshNetworks",
            "ambient does not look at it: it finds gateways by the Gateways of the clusters it reads",
            "take it out, or declare a Gateway of the class istio-remote for the network",
        )


RULES = (unknown, keys, addresses, not_for_ambient)
