"""What every component shares: arguments as a pydantic model, values that may be outputs, its children's options."""

from __future__ import annotations

from typing import Annotated, TypeVar

import pulumi
from pydantic import BaseModel, ConfigDict, Discriminator, Tag

T = TypeVar("T")


def _kind(value: object) -> str:
    return "output" if isinstance(value, pulumi.Output) else "plain"


MaybeOutput = Annotated[
    Annotated[T, Tag("plain")] | Annotated[pulumi.Output[T], Tag("output")],
    Discriminator(_kind),
]
"""A value, or one that is known later. Told apart by what it is, so that a wrong value gets one error, not two."""


class ComponentArgs(BaseModel):
    """Base of all arguments. Errors never echo an input: it may be a key."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True, defer_build=True
    )


def child_options(
    component: pulumi.Resource, opts: pulumi.ResourceOptions | None, *after: pulumi.Resource
) -> pulumi.ResourceOptions:
    """Options of a component's children: its parent, what the component itself was told to come after, and what takes
    it along.

    The engine keeps a component's own `depends_on` on the component alone; without it on the children, destroy would
    not know that a gateway goes before the control plane that serves it.
    """
    gone_with = opts.deleted_with if opts else None
    return pulumi.ResourceOptions(parent=component, depends_on=[*_listed(opts), *after], deleted_with=gone_with)


def _listed(opts: pulumi.ResourceOptions | None) -> list[pulumi.Resource]:
    given = opts.depends_on if opts else None
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [given]  # type: ignore[list-item]
