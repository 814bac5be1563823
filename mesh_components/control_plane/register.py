"""From a rendered chart to resources: what every component of this room does with its objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pulumi

from mesh_components.component import child_options
from mesh_components.control_plane.placeholders import spliced
from mesh_components.kubernetes import KubernetesObject, Plain

WEBHOOKS = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})


def register(
    component: pulumi.Resource,
    name: str,
    manifests: Iterable[Plain],
    known: Mapping[str, pulumi.Output[str]],
    opts: pulumi.ResourceOptions | None,
    *after: pulumi.Resource,
) -> list[KubernetesObject]:
    """One resource an object. The webhooks come last, and so go first: one that nobody serves refuses every pod and
    every Istio resource of the cluster."""
    listed = list(manifests)
    first = child_options(component, opts, *after)
    made = [_object(name, item, known, first) for item in listed if item["kind"] not in WEBHOOKS]
    last = child_options(component, opts, *after, *made)
    return [*made, *(_object(name, item, known, last) for item in listed if item["kind"] in WEBHOOKS)]


def when_made(value: str, made: Iterable[KubernetesObject]) -> pulumi.Output[str]:
    """`value`, once all of them are there."""
    there = [item.metadata.apply(lambda metadata: str(metadata["name"])) for item in made]
    return pulumi.Output.all(*there).apply(lambda _: value)


def resource_name(name: str, manifest: Plain) -> str:
    """Name of an object's resource."""
    return f"{name}-{str(manifest['kind']).lower()}-{manifest['metadata']['name']}"


def _object(
    name: str, manifest: Plain, known: Mapping[str, pulumi.Output[str]], opts: pulumi.ResourceOptions
) -> KubernetesObject:
    return KubernetesObject(resource_name(name, manifest), spliced(manifest, known), opts)
