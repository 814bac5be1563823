"""What a cluster has once, whatever revisions run in it: CRDs, the reader account, and the default validator.

Does not own the root namespace, which must exist before it (`depends_on`). Every control plane comes after it. Order
inside: CRDs, then everything else, as the API server needs it.
"""

from __future__ import annotations

from typing import Literal, Self

import pulumi
from pydantic import model_validator

from mesh_components.component import MaybeOutput, child_options
from mesh_components.control_plane import charts, values
from mesh_components.control_plane.args import ChartArgs
from mesh_components.control_plane.placeholders import known_later
from mesh_components.control_plane.register import register, resource_name, when_made
from mesh_components.kubernetes import KubernetesObject, Plain
from mesh_components.settings.cluster import AddressType, Role

RELEASE = "istio-base"
CRD = "CustomResourceDefinition"


class IstioBaseArgs(ChartArgs):
    """Where the CRDs come from, and who validates Istio's resources."""

    root_cert_pem: MaybeOutput[str]
    """The root bundle, byte for byte as in `cacerts`: the webhook trusts it."""
    default_revision: str = ""
    """The revision whose istiod validates; empty for the one without a name."""
    crds: Literal["release", "objects", "none"] = "release"
    """One release that holds nothing but the CRDs: as resources they cost a second each at every preview. Or one
    resource each; or something else brings them."""
    keep_crds: bool = True
    """They outlive this component, and with them all that was made of them. False needs `objects`."""
    gateway_api: tuple[Plain, ...] = ()
    """The CRDs of the Gateway API, as objects; they are kept whatever happens, since they are not Istio's."""
    role: Role = "primary"
    """A remote has no validator: nobody reads Istio's resources there. A config cluster has one elsewhere."""
    validation_address: MaybeOutput[str] | None = None
    """Of a config cluster: where the istiod outside of it is reached."""
    address_type: AddressType = "ip"
    public_certificate: bool = False
    """API servers trust the certificate at that address by themselves, and our root did not sign it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.crds == "release" and not self.keep_crds:
            raise ValueError(
                "keep_crds is False, but Helm keeps the CRDs of Istio's chart whatever happens to their release; "
                'set crds to "objects"'
            )
        if (self.role == "config") != (self.validation_address is not None):
            raise ValueError(
                f'the role is "{self.role}" and validation_address is '
                f"{'missing' if self.validation_address is None else 'given'}, but an istiod outside of the cluster "
                "validates for a config cluster and for no other; correct one of the two"
            )
        return self


class IstioBase(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Name of the root namespace, once everything is there."""

    def __init__(self, name: str, args: IstioBaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:IstioBase", name, {"version": args.version, "crds": args.crds}, opts)
        renderer = args.renderer or charts.renderer(f"{name}-charts", self)
        rendered = _rendered(args, renderer)
        crds = [*self._gateway_api(name, args, opts), *self._crds(name, args, rendered, opts)]
        others = [manifest for manifest in rendered if manifest["kind"] != CRD]
        known = known_later(args.root_cert_pem, args.validation_address, args.address_type, name)
        made = register(self, name, others, known, opts, *crds)
        self.ready = when_made(args.namespace, made)
        self.register_outputs({"ready": self.ready})

    def _gateway_api(
        self, name: str, args: IstioBaseArgs, opts: pulumi.ResourceOptions | None
    ) -> list[KubernetesObject]:
        kept = pulumi.ResourceOptions.merge(child_options(self, opts), pulumi.ResourceOptions(retain_on_delete=True))
        return [KubernetesObject(resource_name(name, manifest), manifest, kept) for manifest in args.gateway_api]

    def _crds(
        self, name: str, args: IstioBaseArgs, rendered: list[Plain], opts: pulumi.ResourceOptions | None
    ) -> list[pulumi.Resource]:
        if args.crds == "none":
            return []
        if args.crds == "release":
            return [_release(name, args, child_options(self, opts))]
        kept = pulumi.ResourceOptions(retain_on_delete=args.keep_crds)
        each = pulumi.ResourceOptions.merge(child_options(self, opts), kept)
        return [KubernetesObject(resource_name(name, item), item, each) for item in rendered if item["kind"] == CRD]


def _release(name: str, args: IstioBaseArgs, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    where = charts.location(args.charts, "base", args.version)
    props = {
        "name": "istio-crds",
        "chart": where.get("path") or where["chart"],
        "version": where.get("version"),
        "repositoryOpts": {"repo": where["fetch_opts"]["repo"]} if "fetch_opts" in where else None,
        "namespace": args.namespace,
        "values": values.crds(),
    }
    # The SDK's own class would bring along its YAML and HTTP modules for nothing.
    return pulumi.CustomResource("kubernetes:helm.sh/v3:Release", f"{name}-crds", props, opts)


def _rendered(args: IstioBaseArgs, renderer: pulumi.ProviderResource) -> list[Plain]:
    wanted = values.base(
        "" if args.role == "remote" else args.default_revision or "default",
        args.namespace,
        by_url=args.role == "config",
        trusted=args.public_certificate,
    )
    return charts.render(
        args.charts,
        "base",
        version=args.version,
        release=RELEASE,
        namespace=args.namespace,
        values=values.merge(wanted, args.values),
        provider=renderer,
    )
