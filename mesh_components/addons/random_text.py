"""A secret that nobody chose: made once, kept in the state, encrypted."""

from __future__ import annotations

import secrets
from typing import Any

import pulumi
from pulumi import dynamic
from pulumi.dynamic import CreateResult, DiffResult, ResourceProvider

_BYTES = 16
"""Written as hexadecimal digits, of which Kiali's key has to be 16, 24 or 32."""


class _Random(ResourceProvider):
    serialize_as_secret_always = False
    """It captures nothing."""

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Never another one."""
        return DiffResult(changes=False)

    def create(self, props: dict[str, Any]) -> CreateResult:  # noqa: ARG002
        """Draw it."""
        return CreateResult("text", {"text": secrets.token_hex(_BYTES)})


class RandomText(dynamic.Resource, module="mesh", name="RandomText"):
    """32 characters, 128 bits. Another resource is another text."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["text"])
        super().__init__(_Random(), name, {"text": None}, pulumi.ResourceOptions.merge(opts, secret))

    @property
    def text(self) -> pulumi.Output[str]:
        """The secret."""
        drawn: pulumi.Output[str] = self.__dict__["text"]
        return pulumi.Output.secret(drawn)
