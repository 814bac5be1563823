"""One class for every Kubernetes kind: a plain object in, a resource of the kind's own type out.

Charts come as plain objects, so our own builders speak plain objects too, and both are registered here, under the very
tokens that the generated SDK uses (`kubernetes:apps/v1:Deployment`; core kinds carry the group `core`). The generated
classes would add nothing but the time to import them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Protocol

import pulumi

Plain = Mapping[str, Any]
"""A Kubernetes object as its YAML says it; values may be outputs."""


class Typed(Protocol):
    """An object that checked itself when it was written, such as those of `mesh_components.istio`."""

    def manifest(self) -> Plain:
        """As its YAML says it."""


GOES_AT_ONCE = {"pulumi.com/deletionPropagationPolicy": "background"}
"""Annotation of Istio's resources. Pulumi deletes with a finalizer, which the collector can take off only with an
update, and updates ask istiod's webhook: where istiod is broken or gone, destroy would hang. These objects own nothing
that would have to go first."""

_SECRET_PROPERTIES = ["data", "stringData"]
_WITH_DATA = frozenset({"ConfigMap", "Secret"})
_WITHOUT_STATUS = frozenset(
    {"ClusterRole", "ClusterRoleBinding", "ConfigMap", "Role", "RoleBinding", "Secret", "ServiceAccount"}
)
"""Of the kinds that a mesh has most of. The SDK makes four futures for each output of each resource."""


class KubernetesObject(pulumi.CustomResource):
    """One object in one cluster. The provider comes from the parent or the options, never from a default."""

    # Properties and no annotations: the SDK evaluates a class's annotations anew for every resource.

    def __init__(
        self, name: str, manifest: Plain | Typed, opts: pulumi.ResourceOptions | None = None, *, suffix: str = ""
    ) -> None:
        manifest = manifest if isinstance(manifest, Mapping) else manifest.manifest()
        kind = manifest["kind"]
        props = _without_nulls(manifest)
        if kind not in _WITHOUT_STATUS:
            props.setdefault("status", None)
        if kind in _WITH_DATA:
            props.setdefault("data", None)
        if kind == "Secret":
            # As the generated SDK does, so that what the API server fills in is as secret as what we send.
            secret = pulumi.ResourceOptions(additional_secret_outputs=_SECRET_PROPERTIES)
            opts = pulumi.ResourceOptions.merge(opts, secret)
        super().__init__(token(manifest["apiVersion"], f"{kind}{suffix}"), name, props, opts)

    @property
    def metadata(self) -> pulumi.Output[dict[str, Any]]:
        """As the API server has it."""
        return self._output("metadata")

    @property
    def status(self) -> pulumi.Output[dict[str, Any] | None]:
        """As the API server has it; None for kinds without one."""
        return self._output("status")

    @property
    def data(self) -> pulumi.Output[dict[str, str] | None]:
        """Of Secrets (secret, base64) and ConfigMaps; None for other kinds."""
        return self._output("data")

    def _output(self, name: str) -> pulumi.Output[Any]:
        output: pulumi.Output[Any] | None = self.__dict__.get(name)
        return pulumi.Output.from_input(None) if output is None else output


class PatchObject(KubernetesObject):
    """Some fields of an object that something else made. Deleting it gives up the fields, the object stays
    (https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/)."""

    def __init__(self, name: str, manifest: Plain, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, manifest, opts, suffix="Patch")


def token(api_version: str, kind: str) -> str:
    """Pulumi's type token of a kind."""
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{kind}"


def encode(text: pulumi.Input[str]) -> pulumi.Output[str]:
    """Base64, as Secrets and webhooks want it."""
    return pulumi.Output.from_input(text).apply(lambda value: base64.b64encode(value.encode()).decode())


def tls_secret(
    name: str, namespace: pulumi.Input[str], certificate: pulumi.Input[str], key: pulumi.Input[str]
) -> Plain:
    """The Secret with a server's certificate (PEM, with what is above it) and its key."""
    data = pulumi.Output.secret({"tls.crt": encode(certificate), "tls.key": encode(key)})
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata, "data": data}


def _without_nulls(value: Any) -> Any:
    """Charts write `annotations: null`; on the wire that would be a value."""
    if type(value) is str:  # what most values are, and asking for abstract types is slow
        return value
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value]
    return value
