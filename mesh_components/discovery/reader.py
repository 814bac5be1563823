"""The token with which peers read a cluster. Owns the token's Secret; the account comes with Istio's `base` chart."""

from __future__ import annotations

import base64
from typing import Annotated

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.discovery.token import Token
from mesh_components.kubernetes import KubernetesObject
from mesh_components.topology import names


class ReaderTokenArgs(ComponentArgs):
    """Whose token."""

    namespace: MaybeOutput[str] = "istio-system"
    account: str = names.READER_ACCOUNT
    serial: Annotated[int, Field(ge=1)] = 1
    """Another one is another Secret, with a token of its own."""


class ReaderToken(Token):
    """One per cluster, however many peers read it. Waits until the token controller has filled the Secret: istiod does
    not try again with an empty token. The token lives as long as its Secret and its account do."""

    def __init__(self, name: str, args: ReaderTokenArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:ReaderToken", name, {"account": args.account}, opts)
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {
                "name": names.reader_token(args.account, args.serial),
                "namespace": args.namespace,
                "annotations": {
                    "kubernetes.io/service-account.name": args.account,
                    # The provider's own wait for this kind of Secret gives up after five seconds.
                    "pulumi.com/waitFor": "jsonpath={.data.token}",
                },
            },
        }
        secret = KubernetesObject(f"{name}-secret", manifest, child_options(self, opts))
        self.token = pulumi.Output.secret(
            secret.data.apply(lambda values: base64.b64decode((values or {})["token"]).decode())
        )
        self.certificate_authority = secret.data.apply(lambda values: str((values or {})["ca.crt"]))
        self.register_outputs({})
