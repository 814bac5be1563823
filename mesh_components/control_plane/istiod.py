"""A primary's control plane, from the official charts.

Owns the CRDs' release, the objects of `base` and of `istiod`. Does not own the root namespace or `cacerts`: both must
exist before it (`depends_on`). Order inside: CRDs, then everything else, as the API server needs it.
"""

from __future__ import annotations

from typing import Literal

import pulumi
import pulumi_kubernetes as kubernetes
from pydantic import Field

from mesh_components.component import ComponentArgs, MaybeOutput, child_options
from mesh_components.control_plane import charts, values
from mesh_components.control_plane.placeholders import CA_BUNDLE, splice
from mesh_components.kubernetes import KubernetesObject, Plain, encode
from mesh_components.settings.cluster import Platform
from mesh_components.settings.istio import DEFAULT_VERSION, ChartSource, ChartValues, MeshConfigSettings
from mesh_components.topology import names


class IstiodArgs(ComponentArgs):
    """What this control plane is called, what it trusts, and where its charts come from."""

    mesh_id: str
    cluster_name: str
    """istiod's cluster ID; must equal the key in the remote secrets that peers hold."""
    network: str
    root_cert_pem: MaybeOutput[str]
    """The root bundle, byte for byte as in `cacerts`: the webhooks trust it."""
    trust_domain: str = "cluster.local"
    version: str = DEFAULT_VERSION
    revision: str = ""
    namespace: str = "istio-system"
    platform: Platform = "generic"
    charts: ChartSource = ChartSource()
    crds: Literal["release", "none"] = "release"
    mesh_config: MeshConfigSettings = MeshConfigSettings()
    values: ChartValues = Field(default_factory=ChartValues)
    renderer: pulumi.ProviderResource | None = None
    """Renders the charts; left out, this component makes one. Several control planes can share it."""


class Istiod(pulumi.ComponentResource):
    """One per primary cluster and revision; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Name of istiod's Deployment, once it is available."""

    def __init__(self, name: str, args: IstiodArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        props = {
            "cluster": args.cluster_name,
            "network": args.network,
            "version": args.version,
            "revision": args.revision,
        }
        super().__init__("mesh:index:Istiod", name, props, opts)
        renderer = args.renderer or charts.renderer(f"{name}-charts", self)
        crds = [_crds(name, args, child_options(self, opts))] if args.crds == "release" else []
        child = child_options(self, opts, *crds)
        made = [
            KubernetesObject(
                _resource_name(name, manifest), splice(manifest, {CA_BUNDLE: encode(args.root_cert_pem)}), child
            )
            for manifest in (*_base(args, renderer), *_istiod(args, renderer))
        ]
        ready = [item.metadata.apply(lambda metadata: str(metadata["name"])) for item in made]
        self.ready = pulumi.Output.all(*ready).apply(lambda _: names.istiod(args.revision))
        self.register_outputs({"ready": self.ready})


def _crds(name: str, args: IstiodArgs, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """One release that holds nothing but the CRDs: as resources they cost a second each at every preview."""
    where = charts.location(args.charts, "base", args.version)
    return kubernetes.helm.v3.Release(
        f"{name}-crds",
        name="istio-crds",
        chart=where.get("path") or where["chart"],
        version=where.get("version"),
        repository_opts={"repo": where["fetch_opts"]["repo"]} if "fetch_opts" in where else None,
        namespace=args.namespace,
        values=values.crds(),
        opts=opts,
    )


def _base(args: IstiodArgs, renderer: pulumi.ProviderResource) -> list[Plain]:
    wanted = values.merge(values.base(args.revision, args.namespace, CA_BUNDLE), args.values.base)
    rendered = charts.render(
        args.charts,
        "base",
        version=args.version,
        release="istio-base",
        namespace=args.namespace,
        values=wanted,
        provider=renderer,
    )
    # The CRDs come as a release of their own, or something else brings them.
    return [manifest for manifest in rendered if manifest["kind"] != "CustomResourceDefinition"]


def _istiod(args: IstiodArgs, renderer: pulumi.ProviderResource) -> list[Plain]:
    wanted = values.istiod(
        mesh_id=args.mesh_id,
        cluster=args.cluster_name,
        network=args.network,
        trust_domain=args.trust_domain,
        revision=args.revision,
        namespace=args.namespace,
        platform=args.platform,
        mesh_config=args.mesh_config,
        ca_bundle=CA_BUNDLE,
    )
    return charts.render(
        args.charts,
        "istiod",
        version=args.version,
        release=names.istiod(args.revision),
        namespace=args.namespace,
        values=values.merge(wanted, args.values.istiod),
        provider=renderer,
    )


def _resource_name(name: str, manifest: Plain) -> str:
    return f"{name}-{str(manifest['kind']).lower()}-{manifest['metadata']['name']}"
