"""Components of ours that a program hands to others: what the engine knows of them, by their URN."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.errors import InputPropertyError
from pulumi.resource import DependencyResource

from mesh_components.clusters.cluster import Cluster
from mesh_components.discovery.token import Token


class Handed(pulumi.runtime.ResourceModule):
    """Tells the SDK what to make of a component of ours that is handed over: its URN, and nothing yet of what it is."""

    def version(self) -> None:
        """Whichever."""

    def construct(self, name: str, typ: str, urn: str) -> pulumi.Resource:  # noqa: ARG002 - the names are the SDK's
        """Of a component."""
        return DependencyResource(urn)


async def referred(kind: str, found: Any, path: str) -> Cluster | Token:
    """The component of that type. Raises `InputPropertyError` where it is none."""
    urn = await found.urn.future() if isinstance(found, pulumi.Resource) else None
    if f"{kind}::" not in str(urn):
        raise InputPropertyError(path, f"this is no {kind.rsplit(':', 1)[-1]}; give the resource itself")
    made: Cluster | Token = await _READ[kind](kind, str(urn))
    return made


async def _cluster(kind: str, urn: str) -> Cluster:
    made = Cluster(kind, _name(urn), _asked("clusterName", "apiServer", "kubeconfig", "provider"), _at(urn))
    made.cluster_name, made.api_server = _output(made, "clusterName"), _output(made, "apiServer")
    made.kubeconfig = pulumi.Output.secret(_output(made, "kubeconfig"))
    provider = await _output(made, "provider").future()
    if not isinstance(provider, pulumi.ProviderResource):
        raise pulumi.RunError(f"{_name(urn)}: the engine does not tell the provider of this {kind}")
    made.provider = provider
    return made


async def _token(kind: str, urn: str) -> Token:
    made = Token(kind, _name(urn), _asked("token", "certificateAuthority"), _at(urn))
    made.token = pulumi.Output.secret(_output(made, "token"))
    made.certificate_authority = _output(made, "certificateAuthority")
    return made


_READ: dict[str, Any] = {"mesh:index:AttachedCluster": _cluster, "mesh:index:ReaderToken": _token}


def _asked(*names: str) -> dict[str, None]:
    return dict.fromkeys(names)


def _at(urn: str) -> pulumi.ResourceOptions:
    """Options of a resource that is there already: nothing is registered."""
    return pulumi.ResourceOptions(urn=urn)


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[-1]


def _output(made: pulumi.Resource, name: str) -> pulumi.Output[Any]:
    found: pulumi.Output[Any] = made.__dict__[name]
    return found
