"""`mesh vm bundle`: the files with which a machine comes into the mesh.

Reads the document and the outputs of the stack, asks the machine's cluster for a token, and writes. The token is in one
file and nowhere else: no message, no state, no log has it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from mesh_components.settings import MeshSettings
from mesh_components.settings.virtual_machines import VirtualMachineSettings
from mesh_components.topology import machine_bundle as bundles
from mesh_components.topology import virtual_machines as machines
from mesh_components.topology.names import ISTIOD_PORT, is_ip
from meshctl import display
from meshctl.document import kubeconfigs
from meshctl.document import mesh as read_mesh
from meshctl.local.model import Unreachable
from meshctl.local.project import Project, ProjectError, load
from meshctl.local.providers.kubernetes.errors import ApiError, explain
from meshctl.local.providers.kubernetes.transport import Transport
from meshctl.outputs import public_outputs

ROOTS, GATEWAYS = "rootCertificates", "gateways"
"""Outputs of the stack."""


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    name: str
    out: Path
    internal_ip: str | None = None
    external_ip: str | None = None
    as_json: bool = False


def bundle(stack: str, cwd: Path, state: Path | None, engine: str | None, wish: Wish) -> None:
    """Write the bundle. Raises what `commands.UserError` names."""
    project = load(cwd, stack)
    mesh = read_mesh(project)
    machine = _machine(mesh, wish.name)
    _check_folder(wish.out)
    known = public_outputs(project, engine, state)
    address, roots = _address(mesh, machine, known), _roots(project, known)
    token, ends = _token(project, mesh, machine)
    access = bundles.Access(address, roots, token, wish.internal_ip, wish.external_ip)
    _write(wish.out, bundles.bundle(mesh, machine, access))
    said = {
        "folder": str(wish.out),
        "files": list(bundles.FILES),
        "machine": machine.name,
        "namespace": machine.namespace,
        "account": machines.account(machine),
        "cluster": machine.cluster,
        "network": machines.network(mesh, machine),
        "istiod": bundles.istiod_host(mesh, machine),
        "address": address,
        "tokenEnds": ends,
    }
    if wish.as_json:
        display.print_json(said)
    else:
        click.echo("\n".join(_words(said)))


def _machine(mesh: MeshSettings, name: str) -> VirtualMachineSettings:
    found = next((machine for machine in mesh.virtual_machines if machine.name == name), None)
    if found is None:
        known = ", ".join(machine.name for machine in mesh.virtual_machines) or "none"
        raise ProjectError(f'the document has no virtual machine "{name}" (virtualMachines: {known})')
    return found


def _address(mesh: MeshSettings, machine: VirtualMachineSettings, known: Mapping[str, Any]) -> str:
    """The IP at which the machine reaches istiod."""
    if machine.istiod_address is not None:
        return machine.istiod_address
    server = machines.server_of(mesh, machine)
    where = server.name if server else machine.cluster
    address = (known.get(GATEWAYS) or {}).get(where)
    if not address:
        raise ProjectError(
            f'the gateway of "{where}", through which "{machine.name}" reaches istiod, has no address; run `mesh up`, '
            "see that its Service has got a load balancer, or write `istiodAddress` at the machine"
        )
    if not is_ip(address):
        raise ProjectError(
            f'the gateway of "{where}" has the host name {address}, and the file `hosts` takes an IP; write '
            "`istiodAddress` at the machine: an IP of that load balancer that stays"
        )
    return str(address)


def _roots(project: Project, known: Mapping[str, Any]) -> str:
    roots = known.get(ROOTS)
    if not roots:
        raise ProjectError(
            f"{project.name}/{project.stack} has no output {ROOTS}: `up` has not been run since the document has "
            "virtual machines; run `mesh up`"
        )
    return str(roots)


def _token(project: Project, mesh: MeshSettings, machine: VirtualMachineSettings) -> tuple[str, str]:
    """A token of the machine's account, and when it ends (RFC 3339). The API server may grant less than is asked."""
    positions = {index: cluster.name for index, cluster in enumerate(mesh.clusters) if cluster.name == machine.cluster}
    (config,) = kubeconfigs(project, positions, mesh).values()
    account = machines.account(machine)
    path = f"/api/v1/namespaces/{quote(machine.namespace)}/serviceaccounts/{quote(account)}/token"
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [bundles.AUDIENCE], "expirationSeconds": machine.token_lifetime_minutes * 60},
    }
    try:
        _, answer = Transport(machine.cluster, config.contents, config.context).request("POST", path, body=body)
    except ApiError as error:
        raise ProjectError(
            explain(f"{machine.cluster}: token of {machine.namespace}/{account}", error, secret=True)
        ) from None
    except Unreachable as error:
        raise ProjectError(str(error)) from None
    status = answer["status"]
    return status["token"], status["expirationTimestamp"]


def _check_folder(out: Path) -> None:
    """Refuse to write over what is no bundle, before a token is made for nothing."""
    if not out.exists():
        return
    strange = sorted(item.name for item in out.iterdir() if item.name not in bundles.FILES) if out.is_dir() else [""]
    if strange:
        what = f"holds {strange[0]}" if out.is_dir() else "is no folder"
        raise ProjectError(f"{out}: {what}, so it is no bundle that could be replaced; name another folder with --out")


def _write(out: Path, files: Mapping[str, str]) -> None:
    """All files or none. From the moment that they exist nobody else can read them."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as beside:
            made = Path(beside) / "made"
            made.mkdir(mode=0o700)
            for name, contents in files.items():
                handle = os.open(made / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(contents)
            if out.exists():
                out.rename(Path(beside) / "before")
            made.rename(out)
    except OSError as error:
        raise ProjectError(f"{out}: cannot be written: {error.strerror}; name another folder with --out") from None


def _words(said: Mapping[str, Any]) -> list[str]:
    return [
        f"{said['folder']}: {', '.join(said['files'])}",
        f"  machine  {said['namespace']}/{said['machine']} of {said['cluster']}, in network {said['network']}",
        f"  istiod   {said['istiod']}:{ISTIOD_PORT} at {said['address']}",
        f"  token    of {said['namespace']}/{said['account']}, ends {said['tokenEnds']}: start the proxy before",
    ]
