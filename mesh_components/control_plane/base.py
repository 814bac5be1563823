"""What a cluster has once, whatever revisions run in it, and before all of them: CRDs and the reader account.

Does not own the root namespace, which must exist before it (`depends_on`), nor the webhook of the same chart, which
must not be there before an istiod serves it (`DefaultValidator`). Every control plane comes after it. Order inside:
CRDs, then everything else, as the API server needs it.
"""

from __future__ import annotations

from typing import Literal, Self

import pulumi
from pydantic import model_validator

from mesh_components.component import child_options
from mesh_components.control_plane import charts, values
from mesh_components.control_plane.args import ChartArgs
from mesh_components.control_plane.register import register, resource_name, when_made
from mesh_components.control_plane.validator import VALIDATION
from mesh_components.kubernetes import KubernetesObject, Plain

CRD = "CustomResourceDefinition"


class IstioBaseArgs(ChartArgs):
    """Where the CRDs come from."""

    crds: Literal["release", "objects", "none"] = "release"
    """One release that holds nothing but the CRDs: as resources they cost a second each at every preview. Or one
    resource each; or something else brings them."""
    keep_crds: bool = True
    """They outlive this component, and with them all that was made of them. False needs `objects`."""
    gateway_api: tuple[Plain, ...] = ()
    """The CRDs of the Gateway API, as objects; they are kept whatever happens, since they are not Istio's."""
    adopting: pulumi.ProviderResource | None = None
    """Makes the CRDs that are kept, and takes over those that an earlier mesh has left; without it, what is there
    already stops (`Cluster.adopting`)."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.crds == "release" and not self.keep_crds:
            raise ValueError(
                "keep_crds is False, but Helm keeps the CRDs of Istio's chart whatever happens to their release; "
                'set crds to "objects"'
            )
        return self


class IstioBase(pulumi.ComponentResource):
    """One per cluster; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Name of the root namespace, once everything is there."""

    def __init__(self, name: str, args: IstioBaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:IstioBase", name, {"version": args.version, "crds": args.crds}, opts)
        renderer = args.renderer or charts.renderer(f"{name}-charts", self)
        rendered = charts.base(args, values.base(args.namespace), renderer)
        crds = [*self._gateway_api(name, args, opts), *self._crds(name, args, rendered, opts)]
        # The escape hatch may name a default revision all the same.
        others = [manifest for manifest in rendered if manifest["kind"] not in {CRD, *VALIDATION}]
        made = register(self, name, others, {}, opts, *crds)
        self.ready = when_made(args.namespace, made)
        self.register_outputs({"ready": self.ready})

    def _gateway_api(
        self, name: str, args: IstioBaseArgs, opts: pulumi.ResourceOptions | None
    ) -> list[KubernetesObject]:
        kept = pulumi.ResourceOptions.merge(child_options(self, opts), _kept(args))
        return [KubernetesObject(resource_name(name, manifest), manifest, kept) for manifest in args.gateway_api]

    def _crds(
        self, name: str, args: IstioBaseArgs, rendered: list[Plain], opts: pulumi.ResourceOptions | None
    ) -> list[pulumi.Resource]:
        if args.crds == "none":
            return []
        if args.crds == "release":
            return [_release(name, args, child_options(self, opts))]
        # What goes with the mesh must be the mesh's: it takes over nothing.
        kept = _kept(args) if args.keep_crds else pulumi.ResourceOptions()
        each = pulumi.ResourceOptions.merge(child_options(self, opts), kept)
        return [KubernetesObject(resource_name(name, item), item, each) for item in rendered if item["kind"] == CRD]


def _kept(args: IstioBaseArgs) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(retain_on_delete=True, provider=args.adopting)


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
