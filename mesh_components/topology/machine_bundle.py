"""The bundle with which a virtual machine comes into the mesh, file by file, as text. Pure; writes nothing.

The rules are those of `istioctl x workload entry configure` (istio/istio 1.30, istioctl/pkg/workload/workload.go), and
so are the bytes: keys, order and quoting. Two differences, each because istioctl's bundle would not work there: with
another root namespace than istio-system `CA_ADDR` is said, since the machine's start script has no other way to know
it; and without DNS capture the mesh's own default of it is taken out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from mesh_components.settings import MeshSettings
from mesh_components.settings.virtual_machines import VirtualMachineSettings
from mesh_components.topology import names, proxies
from mesh_components.topology import virtual_machines as machines

CLUSTER_ENV, MESH_YAML, ROOT_CERT, HOSTS, TOKEN = "cluster.env", "mesh.yaml", "root-cert.pem", "hosts", "istio-token"
FILES = (CLUSTER_ENV, HOSTS, TOKEN, MESH_YAML, ROOT_CERT)
AUDIENCE = "istio-ca"
"""Of the token: nobody but istiod takes it."""

_PACKAGED = "istiod.istio-system.svc"
"""The istiod that the machine's package asks for a certificate unless `CA_ADDR` says otherwise
(tools/packaging/common/istio-start.sh)."""
_UNSAFE = re.compile(r"[^\\w@%+=:,./-]")
"""As istioctl has it (pkg/util/shellescape/quote.go). It means any word character and says the letter w, so nearly
everything is quoted."""
_NAMES = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
_REVISIONS = ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")
"""Where Istio looks for what a workload is called (pkg/kube/labels/labels.go)."""


@dataclass(frozen=True)
class Access:
    """What the document does not know."""

    address: str
    """IP at which the machine reaches istiod."""
    root_cert_pem: str
    token: str = field(repr=False)
    """Secret."""
    internal_ip: str | None = None
    """The machine's own address; the first one it has when left out."""
    external_ip: str | None = None
    """The same, where the mesh calls it at an address that the machine itself does not have."""


def bundle(mesh: MeshSettings, machine: VirtualMachineSettings, access: Access) -> dict[str, str]:
    """Contents by file name."""
    defaults = _defaults(mesh, machine)
    told = {"defaultConfig": defaults}
    return {
        CLUSTER_ENV: _cluster_env(mesh, machine, access, defaults),
        HOSTS: f"{access.address} {istiod_host(mesh, machine)}\n",
        TOKEN: access.token,
        MESH_YAML: yaml.dump(_ordered(told), Dumper=_Dumper, sort_keys=False, allow_unicode=True),
        ROOT_CERT: access.root_cert_pem,
    }


def istiod_host(mesh: MeshSettings, machine: VirtualMachineSettings) -> str:
    """The name by which the machine calls istiod, and which istiod's certificate carries."""
    return names.istiod_host(machines.revision(mesh, machine), mesh.istio.namespace)


def _address(mesh: MeshSettings, machine: VirtualMachineSettings) -> str:
    return f"{istiod_host(mesh, machine)}:{names.ISTIOD_PORT}"


def _defaults(mesh: MeshSettings, machine: VirtualMachineSettings) -> dict[str, Any]:
    """`defaultConfig`: that of the mesh, with what this workload is."""
    stated = _stated(mesh)
    mesh_wide = proxies.metadata(dns_capture=mesh.istio.mesh_config.dns_capture, multi_root=mesh.trust.multi_root)
    metadata = {**mesh_wide, **{key: str(value) for key, value in (stated.get("proxyMetadata") or {}).items()}}
    metadata |= _workload(mesh, machine)
    if not machine.dns_capture:
        metadata.pop(proxies.DNS_CAPTURE, None)
    probe = machines.probe(machine)
    return {
        "discoveryAddress": _address(mesh, machine),
        "meshId": mesh.id,
        **stated,
        "proxyMetadata": metadata,
        **({"readinessProbe": probe} if probe else {}),
    }


def _stated(mesh: MeshSettings) -> Mapping[str, Any]:
    """What the escape hatch says of all proxies; in a chart's values `pilot` is another spelling of the top level."""
    values = mesh.istio.values.istiod
    found: dict[str, Any] = {}
    for layer in (values, values.get("pilot") or {}):
        found |= (layer.get("meshConfig") or {}).get("defaultConfig") or {}
    return found


def _workload(mesh: MeshSettings, machine: VirtualMachineSettings) -> dict[str, str]:
    labels = machines.labels(machine)
    name = _first(labels, _NAMES, machine.name)
    revision = _first(labels, _REVISIONS, "latest")
    labels |= {_NAMES[0]: name, _REVISIONS[0]: revision}
    ports = [{"name": name, "containerPort": port, "protocol": ""} for name, port in sorted(listening(machine).items())]
    return {
        "CANONICAL_SERVICE": name,
        "CANONICAL_REVISION": revision,
        "POD_NAMESPACE": machine.namespace,
        "SERVICE_ACCOUNT": machines.account(machine),
        "TRUST_DOMAIN": mesh.trust_domain,
        "ISTIO_META_CLUSTER_ID": machine.cluster,
        "ISTIO_META_MESH_ID": mesh.id,
        "ISTIO_META_NETWORK": machines.network(mesh, machine),
        **({"ISTIO_META_POD_PORTS": _json(ports)} if ports else {}),
        "ISTIO_META_WORKLOAD_NAME": machine.name,
        "ISTIO_METAJSON_LABELS": _json(dict(sorted(labels.items()))),
        **({proxies.DNS_CAPTURE: "true"} if machine.dns_capture else {}),
        **({"ISTIO_META_AUTO_REGISTER_GROUP": machine.name} if machine.auto_registration else {}),
    }


def listening(machine: VirtualMachineSettings) -> dict[str, int]:
    """Where the machine listens, by the name of the port."""
    return {port.name: port.target_port or port.number for port in machine.ports}


def _cluster_env(
    mesh: MeshSettings, machine: VirtualMachineSettings, access: Access, defaults: Mapping[str, Any]
) -> str:
    ports = listening(machine)
    variables = {
        **defaults["proxyMetadata"],
        "ISTIO_INBOUND_PORTS": ",".join(str(ports[name]) for name in sorted(ports)) or "*",
        "ISTIO_NAMESPACE": machine.namespace,
        "ISTIO_SERVICE": f"{machine.name}.{machine.namespace}",
        "ISTIO_SERVICE_CIDR": "*",
        "ISTIO_LOCAL_EXCLUDE_PORTS": _excluded(defaults.get("statusPort") or 15020),
        "SERVICE_ACCOUNT": machines.account(machine),
    }
    if istiod_host(mesh, machine) != _PACKAGED:
        variables["CA_ADDR"] = _address(mesh, machine)
    if access.internal_ip:
        variables["ISTIO_SVC_IP"] = access.internal_ip
    elif access.external_ip:
        variables["ISTIO_SVC_IP"] = access.external_ip
        variables["REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION"] = "true"
    lines = sorted(f"{key}={_quoted(value)}" for key, value in variables.items())
    return "\n".join(lines) + "\n"


def _excluded(status: int) -> str:
    """Ports that stay as they are: SSH, Prometheus and the agent's own."""
    always = (22, 15090, names.STATUS_PORT)
    return ",".join(map(str, always if status in always[1:] else (*always, status)))


def _quoted(value: str) -> str:
    if not value:
        return "''"
    return "'" + value.replace("'", "'\"'\"'") + "'" if _UNSAFE.search(value) else value


def _first(labels: Mapping[str, str], keys: tuple[str, ...], otherwise: str) -> str:
    return next((labels[key] for key in keys if key in labels), otherwise)


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


_READS_OTHERWISE = re.compile(
    r"[yYnN]|[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|[-+]?0([bB][01_]+|[oO]?[0-7_]+|[xX][0-9a-fA-F_]+)"
)
"""Text that Go's library takes for something else, beside what Python's does."""


class _Dumper(yaml.SafeDumper):
    """As Go's library writes YAML, which istioctl uses: what would read as something else stands in double quotes."""


def _text(dumper: Any, value: str) -> Any:
    tag = "tag:yaml.org,2002:str"
    if "\n" in value:
        return dumper.represent_scalar(tag, value, style="|")
    other = dumper.resolve(yaml.ScalarNode, value, (True, False)) != tag or _READS_OTHERWISE.fullmatch(value)
    return dumper.represent_scalar(tag, value, style='"' if other else None)


_Dumper.add_representer(str, _text)


def _ordered(value: Any) -> Any:
    """Keys in the order of Go's library."""
    if isinstance(value, Mapping):
        return {key: _ordered(value[key]) for key in sorted(value, key=_place)}
    return [_ordered(item) for item in value] if isinstance(value, list | tuple) else value


def _place(key: str) -> list[tuple[int, int, str]]:
    """Numbers count as numbers, and letters come after everything else; but right behind a number, before."""
    parts = re.findall(r"\d+|\D", key)
    after = ["", *parts]
    return [_part(part, behind_number=before.isdecimal()) for before, part in zip(after, parts, strict=False)]


def _part(part: str, *, behind_number: bool) -> tuple[int, int, str]:
    if part.isalpha():
        return (0 if behind_number else 3, 0, part)
    return (1, int(part), "") if part.isdecimal() else (1, 0, part)
