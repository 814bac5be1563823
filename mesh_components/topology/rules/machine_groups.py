"""What is said of each group of virtual machines: names, tokens, entries and probes
(https://istio.io/latest/docs/reference/config/networking/workload-group/)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from mesh_components.settings import Finding
from mesh_components.settings.virtual_machines import VirtualMachineSettings
from mesh_components.topology import virtual_machines as machines
from mesh_components.topology.applications import stated
from mesh_components.topology.names import is_ip
from mesh_components.topology.rules.applications import RESERVED
from mesh_components.topology.rules.context import Context, error, quoted, quoted_key, warning
from mesh_components.topology.rules.exposure import is_host_name
from mesh_components.topology.rules.names import DNS_LABEL, LABEL_VALUE

SHORTEST_MINUTES = 10
"""The API server refuses less (https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/)."""
LONGEST_MINUTES = 24 * 60

AUTO_REGISTRATION = "PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION"
HEALTH_CHECKS = "PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS"
"""Environment of istiod; both are on by default (istio/istio 1.30, pilot/pkg/features/pilot.go)."""


def at(index: int, key: str) -> str:
    """`virtualMachines[1].network`."""
    return f"virtualMachines[{index}].{key}"


def listed(context: Context) -> Iterator[tuple[int, VirtualMachineSettings]]:
    """The groups with their positions."""
    return enumerate(context.mesh.virtual_machines)


def names(context: Context) -> Iterator[Finding]:
    """MESH960."""
    for index, machine in listed(context):
        labels = {"name": machine.name, "namespace": machine.namespace, "account": machines.account(machine)}
        for key, value in labels.items():
            if not DNS_LABEL.fullmatch(value):
                yield error(
                    "MESH960",
                    at(index, key),
                    f"{quoted(value)} is no DNS-1123 label, and it becomes the name of objects and part of an identity",
                    "use lower-case letters, digits and inner dashes, at most 63",
                )
        if machine.network is not None and not LABEL_VALUE.fullmatch(machine.network):
            yield error(
                "MESH960",
                at(index, "network"),
                f"{quoted(machine.network)} cannot be the name of a network: it is the value of a label",
                "use letters, digits, and inner dashes, dots and underscores, 1 to 63 of them",
            )
        for key, value in machine.labels.items():
            if value and not LABEL_VALUE.fullmatch(value):
                yield error(
                    "MESH960",
                    at(index, f"labels.{quoted_key(key)}"),
                    f"{quoted(value)} cannot be the value of a label",
                    "use letters, digits, and inner dashes, dots and underscores, at most 63 of them",
                )
        if machines.has_service(machine) and not is_host_name(machines.host(machine)):
            yield error(
                "MESH960",
                at(index, "host"),
                f"{quoted(machines.host(machine))} is no host name that a service can be called by",
                "write a DNS name with at least one dot, or leave it out",
            )


def conflicts(context: Context) -> Iterator[Finding]:
    """MESH961."""
    yield from _twice(context, "name", lambda machine: machine.name)
    yield from _twice(
        context, "host", lambda machine: machines.host(machine) if machines.has_service(machine) else None
    )
    said: dict[tuple[str, str], str] = {}
    for index, machine in listed(context):
        for key, value in machine.namespace_labels.items():
            before = said.setdefault((machine.namespace, key), value)
            if before != value:
                yield error(
                    "MESH961",
                    at(index, f"namespaceLabels.{quoted_key(key)}"),
                    f"another machine gives the namespace {quoted(machine.namespace)} the label with the value "
                    f"{quoted(before)}",
                    "say it once",
                )
        for key in ("name", "number"):
            values = [getattr(port, key) for port in machine.ports]
            if len(set(values)) < len(values):
                yield error(
                    "MESH961",
                    at(index, "ports"),
                    f"two ports have the same {key}; the API server refuses such a service",
                    f"give each port a {key} of its own",
                )


def _twice(context: Context, key: str, value: Callable[[VirtualMachineSettings], str | None]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for index, machine in listed(context):
        found = value(machine)
        earlier = first.setdefault(found, index) if found is not None else index
        if earlier != index:
            what = "objects here, and bundles, are called by it" if key == "name" else "a host is one service"
            yield error(
                "MESH961",
                at(index, key),
                f"{quoted(found or '')} is the {key} of virtualMachines[{earlier}] too; {what}",
                "give each a name of its own"
                if key == "name"
                else "give each a host of its own; or, of groups behind one host, set `service: false` at all but one",
            )


def namespace(context: Context) -> Iterator[Finding]:
    """MESH969."""
    mesh = context.mesh
    taken = {mesh.istio.namespace: "the root namespace", **dict.fromkeys(RESERVED, "in every cluster")}
    taken |= {settings.namespace: f"that of {name}" for name, settings in stated(mesh)}
    for cluster in mesh.clusters:
        gateways = [
            *(item.namespace for item in cluster.ingress),
            *([cluster.egress.namespace] if cluster.egress else []),
        ]
        taken |= dict.fromkeys(gateways, f'that of a gateway of "{cluster.name}"')
    for index, machine in listed(context):
        if machine.create_namespace and machine.namespace in taken:
            yield error(
                "MESH969",
                at(index, "namespace"),
                f"{quoted(machine.namespace)} is {taken[machine.namespace]}, and would be made twice, and go with the "
                "machines",
                "give the machines a namespace of their own, or set `createNamespace: false`",
            )


def token(context: Context) -> Iterator[Finding]:
    """MESH962."""
    for index, machine in listed(context):
        minutes = machine.token_lifetime_minutes
        place = at(index, "tokenLifetimeMinutes")
        if minutes < SHORTEST_MINUTES:
            yield error(
                "MESH962",
                place,
                f"a token that ends after {minutes} minutes is refused by the API server, which grants "
                f"{SHORTEST_MINUTES} at least",
                f"write {SHORTEST_MINUTES} or more",
            )
        elif minutes > LONGEST_MINUTES:
            yield warning(
                "MESH962",
                place,
                f"whoever copies the bundle within {minutes // 60} hours can be this workload; the machine needs the "
                "token once, when its proxy starts for the first time",
                "write how long it takes to bring the bundle to the machine; `mesh vm bundle` makes another one at any "
                "time",
            )


def entries(context: Context) -> Iterator[Finding]:
    """MESH964."""
    for index, machine in listed(context):
        place = at(index, "addresses")
        for number, address in enumerate(machine.addresses):
            if not is_ip(address):
                yield error("MESH964", f"{place}[{number}]", f"{quoted(address)} is no IP", "write IPs")
        if machine.auto_registration and machine.addresses:
            yield error(
                "MESH964",
                place,
                "machines enter themselves when they connect, so nobody reads these",
                "take them out, or set `autoRegistration: false`",
            )
        elif not machine.auto_registration and not machine.addresses:
            yield error(
                "MESH964",
                place,
                "nobody enters the machines: they do not do it themselves, and no address is written",
                "write `addresses`, or leave `autoRegistration` out",
            )


def probe(context: Context) -> Iterator[Finding]:
    """MESH965."""
    for index, machine in listed(context):
        if machine.probe is None:
            continue
        asked = [way for way in ("http_get", "tcp_socket", "exec", "grpc") if getattr(machine.probe, way) is not None]
        if len(asked) != 1:
            yield error(
                "MESH965",
                at(index, "probe"),
                f"it asks in {len(asked)} ways, and a probe has exactly one",
                "write one of `httpGet`, `tcpSocket`, `exec` and `grpc`",
            )
        if not machine.auto_registration:
            yield warning(
                "MESH965",
                at(index, "probe"),
                "istiod takes up what a machine says of its health for entries that it has made itself; those that are "
                "written here are called whether they are well or not",
                "leave `autoRegistration` out, or take the probe out",
            )


def switched_off(context: Context) -> Iterator[Finding]:
    """MESH966."""
    registering = any(machine.auto_registration for machine in context.mesh.virtual_machines)
    probing = any(machine.auto_registration and machine.probe for machine in context.mesh.virtual_machines)
    values = context.mesh.istio.values.istiod
    for prefix, layer in (("", values), ("pilot.", values.get("pilot"))):
        env: Any = layer.get("env") if isinstance(layer, dict) else None
        for variable, needed, what in (
            (AUTO_REGISTRATION, registering, "no machine would enter itself"),
            (HEALTH_CHECKS, probing, "machines that are not well would be called"),
        ):
            if needed and isinstance(env, dict) and str(env.get(variable, "true")).lower() == "false":
                yield error(
                    "MESH966",
                    f"istio.values.istiod.{prefix}env.{variable}",
                    f"it switches off what the virtual machines here are made for: {what}",
                    "take it out: it is on by default",
                )


RULES = (names, conflicts, namespace, token, entries, probe, switched_off)
