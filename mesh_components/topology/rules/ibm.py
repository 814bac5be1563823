"""What IBM Cloud refuses, and what would keep a mesh apart that is made there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.settings.ibm import IbmSettings
from mesh_components.settings.place import PlaceError
from mesh_components.topology.ibm import api_keys, ibm, ibm_name
from mesh_components.topology.roles import is_member
from mesh_components.topology.rules.addresses import url
from mesh_components.topology.rules.context import Context, at, clusters_named, error, quoted, warning
from mesh_components.topology.rules.ranges import problem

NAME_LENGTH = 32
_NAME = re.compile(rf"[a-zA-Z]([-.a-zA-Z0-9]{{0,{NAME_LENGTH - 2}}}[a-zA-Z0-9])?")
_ZONE = re.compile(r"[a-z]+-[a-z]+-[0-9]+")
_ALLOWED = tuple(
    ip_network(text)
    for text in (
        "172.17.0.0/16", "172.21.0.0/16", "172.22.0.0/15", "172.24.0.0/13", "192.168.0.0/16", "198.18.0.0/15",
    )
)  # fmt: skip
_PREFIXES = {"podRanges": 23, "serviceRanges": 24}
"""The longest prefix, that is the fewest addresses, that IBM takes."""


def refused(context: Context) -> Iterator[Finding]:
    """MESH236 (https://cloud.ibm.com/docs/containers?topic=containers-kubernetes-service-cli, `cluster create`)."""
    for index, cluster in context.clusters():
        made = ibm(cluster)
        if made is not None:
            yield from _names(index, cluster, made)
            yield from _zones(index, made)
            yield from _pools(index, made)
            yield from _ranges(index, cluster)


def _names(index: int, cluster: ClusterSettings, made: IbmSettings) -> Iterator[Finding]:
    if not _NAME.fullmatch(ibm_name(cluster)):
        yield error(
            "MESH236",
            at(index, "create.ibm.name" if made.name else "name"),
            f"{quoted(ibm_name(cluster))} cannot be the name of a cluster on IBM Cloud",
            f"begin with a letter, then letters, digits, inner dots and dashes, at most {NAME_LENGTH}",
        )
    for key, address in (("iamEndpoint", made.iam_endpoint), ("containersEndpoint", made.containers_endpoint)):
        found = url(address)
        if isinstance(found, str):
            yield error(
                "MESH236",
                at(index, f"create.ibm.{key}"),
                f"{quoted(address)} {found}, and the API key goes there",
                "write an https URL, or leave it out",
            )


def _zones(index: int, made: IbmSettings) -> Iterator[Finding]:
    place = at(index, "create.ibm.zones")
    if not made.zones:
        yield error("MESH236", place, "the cluster would be nowhere", "name a zone with a subnet of the VPC")
    names = [zone.name for zone in made.zones]
    for n, name in enumerate(names):
        if not _ZONE.fullmatch(name):
            wrong = f"{quoted(name)} is no zone"
        elif name in names[:n]:
            wrong = f"{quoted(name)} stands there twice"
        elif name.rpartition("-")[0] != names[0].rpartition("-")[0]:
            wrong = f"{quoted(name)} is in another region than {quoted(names[0])}"
        else:
            continue
        yield error("MESH236", f"{place}[{n}].name", wrong, "write zones of one region, such as eu-de-1, each once")


def _pools(index: int, made: IbmSettings) -> Iterator[Finding]:
    place = at(index, "create.ibm.workerPools")
    if not made.worker_pools:
        yield error("MESH236", place, "the cluster would have no nodes, and nothing could run", "name a pool")
    names = [pool.name for pool in made.worker_pools]
    for n, name in enumerate(names):
        if name in names[:n]:
            yield error("MESH236", f"{place}[{n}].name", "another pool is called so", "give it another name")


def _ranges(index: int, cluster: ClusterSettings) -> Iterator[Finding]:
    for key, texts in (("podRanges", cluster.pod_ranges), ("serviceRanges", cluster.service_ranges)):
        if len(texts) > 1:
            yield error(
                "MESH236",
                at(index, f"{key}[1]"),
                f"a cluster that is made here has one range of this kind, and {len(texts)} are written",
                "write one, large enough",
            )
        for n, text in enumerate(texts):
            wrong = "" if problem(text) else _unusable(key, text)  # MESH203 tells of what is no range
            if wrong:
                yield error(
                    "MESH236",
                    at(index, f"{key}[{n}]"),
                    f"{text} {wrong}",
                    "write one within 172.17.0.0/16, 172.21.0.0 to 172.31.255.255, 192.168.0.0/16 or 198.18.0.0/15; or "
                    "leave it out, then IBM chooses",
                )


def _unusable(key: str, text: str) -> str:
    network = ip_network(text)
    if network.version != 4 or not any(network.subnet_of(allowed) for allowed in _ALLOWED):  # type: ignore[arg-type]
        return "is not among the ranges that IBM Cloud takes"
    return "has too few addresses for IBM Cloud" if network.prefixlen > _PREFIXES[key] else ""


def api_key(context: Context) -> Iterator[Finding]:
    """MESH237."""
    for place, settings in api_keys(context.mesh):
        found = context.texts.get(place)
        if len(settings.stated) != 1:
            said = f"names {', '.join(settings.stated)}" if settings.stated else "names nothing"
            yield error("MESH237", place, f"it {said}, and a key is in one place", "leave one of them")
        elif isinstance(found, PlaceError):
            yield error(
                "MESH237",
                place,
                f"{found}; without an API key IBM Cloud makes no cluster",
                "set it: `export IC_API_KEY=…`, or `pulumi config set --secret NAME < FILE` and "
                "`apiKey: {secret: NAME}`; a preview does without one with `--without-credentials`",
            )


def overlay(context: Context) -> Iterator[Finding]:
    """MESH238 (https://cloud.ibm.com/docs/containers?topic=containers-vpc-subnets)."""
    for index, cluster in context.clusters():
        if ibm(cluster) is None or not is_member(cluster):
            continue
        others = tuple(c for c in context.mesh.clusters if c is not cluster and c.network == cluster.network)
        together = tuple(c for c in others if is_member(c))
        if together:
            yield error(
                "MESH238",
                at(index, "network"),
                f'"{cluster.name}" is in one network with {clusters_named(together)}, and addresses of its pods mean '
                "something inside of this cluster only: IBM Cloud routes none of them, so calls would lead nowhere",
                "give it a `network` of its own, then it gets an east-west gateway",
            )


def closed(context: Context) -> Iterator[Finding]:
    """MESH239."""
    for index, cluster in context.clusters():
        made = ibm(cluster)
        if made is None or cluster.peer_kubeconfig is not None:
            continue
        readers = context.readers(index)
        away = tuple(reader for reader in readers if not made.public_endpoint and ibm(reader) is None)
        if away:
            yield warning(
                "MESH239",
                at(index, "create.ibm.publicEndpoint"),
                f"the API server has no public address, and the istiod of {clusters_named(away)} asks from outside of "
                "IBM's network",
                "leave it out; or go on where a VPN or Direct Link leads there",
            )
        strangers = tuple(reader for reader in readers if made.outbound_traffic_protection)
        if strangers:
            yield warning(
                "MESH239",
                at(index, "create.ibm.outboundTrafficProtection"),
                "nodes reach nothing outside of the VPC, and istiod has to read "
                f"{clusters_named(strangers)}, and requests to go to gateways there",
                "leave it out; or go on where security groups let them out",
            )


RULES = (refused, api_key, overlay, closed)
