"""What programs in other languages can make, and how much of it crosses over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from inspect import get_annotations
from typing import Any, get_args, get_origin

import pulumi
from pydantic import BaseModel, ConfigDict, create_model

from mesh_components.clusters.attached import AttachedCluster, AttachedClusterArgs
from mesh_components.clusters.namespace import RootNamespace, RootNamespaceArgs
from mesh_components.component import ComponentArgs
from mesh_components.control_plane.base import IstioBase, IstioBaseArgs
from mesh_components.control_plane.istiod import Istiod, IstiodArgs
from mesh_components.discovery.reader import ReaderToken, ReaderTokenArgs
from mesh_components.discovery.remote_secret import RemoteSecret, RemoteSecretArgs
from mesh_components.federation import MeshFederation
from mesh_components.gateways.east_west import EastWestGateway, EastWestGatewayArgs
from mesh_components.provider.federation import FederationInputs, FederationOutputs
from mesh_components.provider.values import wire
from mesh_components.trust.cacerts import CaCerts, CaCertsArgs
from mesh_components.trust.root_ca import CaBundle, RootCA, RootCAArgs

PACKAGE = "mesh"


@dataclass(frozen=True)
class Served:
    """One component."""

    component: type[pulumi.ComponentResource]
    args: type[ComponentArgs]
    outputs: type[BaseModel]
    """What can be read of it, by the names of its attributes."""
    secret_outputs: frozenset[str] = frozenset()
    omitted: frozenset[str] = frozenset()
    """Arguments that are objects of Python."""
    in_one_cluster: bool = False
    """Everything of it is in one cluster, which the input `cluster` can name."""

    @property
    def token(self) -> str:
        """Its type in programs and states."""
        return token(self.component)

    def state(self, made: Any) -> Mapping[str, Any]:
        """What can be read of it, by the names in other languages."""
        if isinstance(made, MeshFederation):
            return made.outputs()
        return {wire(name): _crossing(getattr(made, name)) for name in self.outputs.model_fields}


def token(component: type[pulumi.ComponentResource]) -> str:
    """The type of a component."""
    return f"{PACKAGE}:index:{component.__name__}"


def _crossing(value: Any) -> Any:
    """Classes of our own as mappings."""
    if isinstance(value, Mapping):
        return {key: _crossing(item) for key, item in value.items()}
    if isinstance(value, CaBundle):
        return {wire(item.name): getattr(value, item.name) for item in fields(value)}
    return value


def _readable(component: type[pulumi.ComponentResource], *names: str) -> type[BaseModel]:
    ours = [part for part in reversed(component.__mro__) if part.__module__.startswith("mesh_components.")]
    hints = {name: hint for part in ours for name, hint in get_annotations(part, eval_str=True).items()}
    fields: dict[str, Any] = {name: (_known(hints[name]), ...) for name in names}
    return create_model(
        f"{component.__name__}Outputs",
        __config__=ConfigDict(arbitrary_types_allowed=True),
        __module__="written.nowhere",
        **fields,
    )


def _known(hint: Any) -> Any:
    """What an output is once it is known."""
    if get_origin(hint) is pulumi.Output:
        return get_args(hint)[0]
    return _known(get_args(hint)[0]) if type(None) in get_args(hint) else hint


_OF_CHARTS = frozenset({"renderer"})

SERVED = (
    Served(MeshFederation, FederationInputs, FederationOutputs),
    Served(
        AttachedCluster,
        AttachedClusterArgs,
        _readable(AttachedCluster, "cluster_name", "api_server", "kubeconfig", "provider"),
        secret_outputs=frozenset({"kubeconfig"}),
    ),
    Served(
        RootCA,
        RootCAArgs,
        _readable(RootCA, "root_cert_pem", "fingerprint", "expires", "bundles"),
        secret_outputs=frozenset({"bundles"}),
        omitted=frozenset({"sources"}),
    ),
    Served(RootNamespace, RootNamespaceArgs, _readable(RootNamespace, "namespace"), in_one_cluster=True),
    Served(CaCerts, CaCertsArgs, _readable(CaCerts, "expires"), in_one_cluster=True),
    Served(
        IstioBase,
        IstioBaseArgs,
        _readable(IstioBase, "ready"),
        omitted=_OF_CHARTS | {"adopting"},
        in_one_cluster=True,
    ),
    Served(
        Istiod,
        IstiodArgs,
        _readable(Istiod, "ready"),
        omitted=_OF_CHARTS | {"trusted"},
        in_one_cluster=True,
    ),
    Served(
        EastWestGateway,
        EastWestGatewayArgs,
        _readable(EastWestGateway, "address", "load_balancer"),
        in_one_cluster=True,
    ),
    Served(
        ReaderToken,
        ReaderTokenArgs,
        _readable(ReaderToken, "token", "certificate_authority"),
        secret_outputs=frozenset({"token"}),
        in_one_cluster=True,
    ),
    Served(RemoteSecret, RemoteSecretArgs, _readable(RemoteSecret, "secret_name")),
)

BY_TOKEN: Mapping[str, Served] = {item.token: item for item in SERVED}
