"""A token with an end, from the TokenRequest API. Owns the Secret that the token is bound to, and the request.

The token lives as long as it was granted for, and no longer than that Secret and the account do: deleting the Secret is
how a token that got into wrong hands is withdrawn
(https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import pulumi
from pulumi import dynamic
from pydantic import Field

from mesh_components.clusters.cluster import Cluster
from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.discovery.token import Token
from mesh_components.discovery.token_request import TokenRequests
from mesh_components.kubernetes import KubernetesObject
from mesh_components.topology import names


class RequestedTokenArgs(ComponentArgs):
    """Whose token, and for how long."""

    cluster: Cluster
    """Where the account is. Its kubeconfig is used: no provider of Pulumi has TokenRequest."""
    namespace: MaybeOutput[str] = "istio-system"
    account: str = names.READER_ACCOUNT
    lifetime_hours: Annotated[int, Field(ge=1)] = 720
    renew_before_hours: Annotated[int, Field(ge=1)] = 240
    """An `up` that comes so long before the end gets another one."""
    serial: Annotated[int, Field(ge=1)] = 1
    """Another one is a token bound to another Secret."""


class RequestedToken(Token):
    """Renewed by `up`, as an update: a run in every `renew_before_hours` keeps it alive. Also renewed when it does not
    authenticate any more. The token before is valid until its own end."""

    expires: pulumi.Output[str]
    """When it ends, RFC 3339."""

    def __init__(self, name: str, args: RequestedTokenArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if args.cluster.kubeconfig is None:
            why = "the cluster has no `kubeconfig` to request a token with; give it one, or use a ReaderToken"
            raise pulumi.RunError(f"RequestedToken {name}: {why}")
        super().__init__("mesh:index:RequestedToken", name, {"account": args.account}, opts)
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": names.token_binding(args.account, args.serial), "namespace": args.namespace},
        }
        binding = KubernetesObject(f"{name}-binding", manifest, child_options(self, opts))
        props = {
            "kubeconfig": args.cluster.kubeconfig,
            "namespace": args.namespace,
            "account": args.account,
            "lifetimeHours": args.lifetime_hours,
            "renewBeforeHours": args.renew_before_hours,
            "secret": binding.metadata.apply(_identity),
        }
        made = _Request(f"{name}-request", props, child_options(self, opts))
        self.token = pulumi.Output.secret(made.token)
        self.certificate_authority = made.certificate_authority
        self.expires = made.expires
        self.register_outputs({"expires": self.expires})


def _identity(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What makes the Secret this one: one that was deleted and made again has lost its tokens."""
    return {"name": metadata["name"], "uid": metadata.get("uid", "")}


class _Request(dynamic.Resource, module="mesh", name="TokenRequest"):
    """The request as a resource; `token_request` has what it does."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["token"])
        outputs = {"token": None, "certificateAuthority": None, "expires": None, "granted": None, "verified": None}
        merged = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(TokenRequests(), name, {**outputs, **props}, merged)

    @property
    def token(self) -> pulumi.Output[str]:
        return self._output("token")

    @property
    def certificate_authority(self) -> pulumi.Output[str]:
        return self._output("certificateAuthority")

    @property
    def expires(self) -> pulumi.Output[str]:
        return self._output("expires")

    def _output(self, name: str) -> pulumi.Output[Any]:
        output: pulumi.Output[Any] = self.__dict__[name]
        return output
