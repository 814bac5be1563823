"""Every property of Google's resources that the builders set, against the types of the installed SDK."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_gcp
import pytest
from pulumi_gcp import compute, container

from mesh_components.clusters import gke_objects
from mesh_components.settings.addresses import AddressSettings
from mesh_components.settings.gke import GkeSettings
from mesh_components.topology.addresses import ranges_of_slot

FULL = GkeSettings.model_validate(
    {
        "project": "my-project",
        "location": "europe-west3",
        "endpoint": "dns",
        "privateEndpoint": True,
        "fleet": "my-fleet",
        "authorizedNetworks": [{"cidr": "198.51.100.0/24", "name": "office"}],
        "nodeServiceAccount": "nodes@my-project.iam.gserviceaccount.com",
        "nodePools": [{"zones": ["europe-west3-a"], "labels": {"a": "b"}, "spot": True}],
        "labels": {"team": "Mesh"},
    }
)
PLAN = ranges_of_slot(AddressSettings(), 1)
MADE: dict[str, tuple[Any, dict[str, Any]]] = {
    "network": (compute.NetworkArgs, gke_objects.network("n", "p")),
    "nat": (compute.RouterNatArgs, gke_objects.nat("n", "p", "r", "router", "address")),
    "subnet": (compute.SubnetworkArgs, gke_objects.subnet("n", FULL, PLAN, "vpc")),
    "cluster": (
        container.ClusterArgs,
        gke_objects.cluster("n", FULL, PLAN, "vpc", "subnet", {"mesh": "Mesh.1"}, {"west": "203.0.113.1/32"}),
    ),
    "pool": (container.NodePoolArgs, gke_objects.node_pool(FULL.node_pools[0], FULL, "cluster", "tag")),
    "webhooks": (compute.FirewallArgs, gke_objects.webhook_firewall("n", "p", "vpc", PLAN, "tag")),
    "east-west": (compute.FirewallArgs, gke_objects.east_west_firewall("n", "p", "vpc", (), "tag", (15443,))),
    "pods": (compute.FirewallArgs, gke_objects.pods_firewall("n", "p", "vpc", ["10.0.0.0/16"], ["tag"])),
}
"""What the pure builders make, by name, with the SDK's class for it."""


def hints(kind: Any) -> Mapping[str, Any]:
    """Types of the parameters of an SDK's class of arguments."""
    module = inspect.getmodule(kind)
    scope = {**vars(pulumi), **vars(typing), **vars(pulumi_gcp), **vars(module)}
    found = typing.get_type_hints(kind.__init__, scope)
    return {name: hint for name, hint in found.items() if name not in {"return", "__self__"}}


def wrong(value: Any, hint: Any, path: str) -> list[str]:
    """Places where a value is none of a type."""
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        tried = [wrong(value, option, path) for option in inside if option is not type(None)]
        return [] if any(not found for found in tried) else min(tried, key=len)
    if isinstance(value, Mapping):
        if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
            return [item for key, entry in value.items() for item in wrong(entry, inside[1], f"{path}.{key}")]
        return _fields(value, hint, path) if isinstance(hint, type) and hasattr(hint, "__init__") else [path]
    if isinstance(value, list):
        if not (isinstance(origin, type) and issubclass(origin, Sequence)):
            return [path]
        return [item for n, entry in enumerate(value) for item in wrong(entry, inside[0], f"{path}[{n}]")]
    if hint is Any or isinstance(hint, (typing.ForwardRef, str)):
        return []
    expected = hint if isinstance(hint, type) else object
    fits = type(value) is expected or (expected is float and type(value) is int)
    return [] if fits else [f"{path}: {value!r} is no {hint}"]


def _fields(value: Mapping[str, Any], kind: Any, path: str) -> list[str]:
    if not kind.__name__.endswith("Args"):
        return [f"{path}: {kind}"]
    known = hints(kind)
    unknown = [f"{path}.{key} is unknown to {kind.__name__}" for key in value if key not in known]
    return unknown + [
        item for key, v in value.items() if key in known for item in wrong(v, known[key], f"{path}.{key}")
    ]


@pytest.mark.parametrize("name", MADE)
def test_every_property_is_one_of_the_sdk_with_a_value_of_its_type(name: str) -> None:
    kind, value = MADE[name]
    assert _fields(value, kind, name) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"networking_mod": "VPC_NATIVE"}, "networking_mod"),
        ({"deletion_protection": "yes"}, "deletion_protection"),
        ({"private_cluster_config": {"enable_private_node": True}}, "enable_private_node"),
        ({"master_authorized_networks_config": {"cidr_blocks": [{"cidr_block": 1}]}}, "cidr_block"),
    ],
)
def test_what_is_not_would_be_found(change: dict[str, Any], what: str) -> None:
    kind, value = MADE["cluster"]
    assert any(what in item for item in _fields({**value, **change}, kind, "cluster"))
