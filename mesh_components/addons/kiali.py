"""Kiali: the mesh as a picture. Owns what its chart has, in its own cluster or, of a cluster that it reads from there,
its account with its rights; and the key that it signs sessions with. Does not own how it reads other clusters
(`KialiRemoteSecret`), which has to be there before it: it looks when it starts.
"""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.addons.args import AddonArgs
from mesh_components.addons.chart import Chart, build
from mesh_components.addons.random_text import RandomText
from mesh_components.component import MaybeOutput, child_options
from mesh_components.kubernetes import KubernetesObject, encode
from mesh_components.settings.addons import KialiAuth, KialiSettings
from mesh_components.topology import names
from mesh_components.topology.addon_names import KIALI

REPOSITORY = "https://kiali.org/helm-charts"
_SETTINGS = KialiSettings()
_SIGNING_KEY, _KEY = f"{KIALI}-signing-key", "key"
_CREDENTIALS = "credentials.invalid"
"""Stands for when those of the other clusters changed last."""


class KialiReaderArgs(AddonArgs):
    """What its account may do."""

    version: str = _SETTINGS.version
    auth: KialiAuth = _SETTINGS.auth
    view_only: bool = _SETTINGS.view_only


class KialiArgs(KialiReaderArgs):
    """Where it is, what it reads, and what it asks."""

    cluster_name: str
    """Of the cluster where it is."""
    root_namespace: str = "istio-system"
    clusters: tuple[str, ...] = ()
    """The others that it reads."""
    credentials: MaybeOutput[str] = ""
    """Changes when the secrets for them do: Kiali reads those once, so it starts anew."""
    metrics_url: str
    tracing_url: str | None = None
    grafana_url: str | None = None
    grafana_secret: str | None = None
    """Name of the Secret with Grafana's password, where it asks for one."""


class KialiReader(pulumi.ComponentResource):
    """Kiali's account in a cluster that it reads from another one, with the rights that its chart gives it. Hand it
    that cluster's provider (https://kiali.io/docs/configuration/multi-cluster/)."""

    account: pulumi.Output[str]
    """Name of the account, once it has its rights."""

    def __init__(self, name: str, args: KialiReaderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:KialiReader", name, {"version": args.version}, opts)
        wanted = {**_shared(args), "deployment": {**_deployment(args), "remote_cluster_resources_only": True}}
        self.account = build(self, name, args, _chart(args), wanted, opts)
        self.register_outputs({"account": self.account})


class Kiali(pulumi.ComponentResource):
    """One per mesh; hand it the cluster's provider through `opts.providers`."""

    ready: pulumi.Output[str]
    """Its name, once it runs."""

    def __init__(self, name: str, args: KialiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:Kiali", name, {"version": args.version, "clusters": list(args.clusters)}, opts)
        key = RandomText(f"{name}-signing-key-text", child_options(self, opts))
        metadata = {"name": _SIGNING_KEY, "namespace": args.namespace}
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": metadata,
            "data": pulumi.Output.secret({_KEY: encode(key.text)}),
        }
        secret = KubernetesObject(f"{name}-signing-key", manifest, child_options(self, opts))
        after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[secret]))
        known = {_CREDENTIALS: pulumi.Output.from_input(args.credentials)}
        self.ready = build(self, name, args, _chart(args), values(args), after, known=known)
        self.register_outputs({"ready": self.ready})


def values(args: KialiArgs) -> dict[str, Any]:
    """Values of the chart `kiali-server`. It would look for Secrets in the cluster when it is rendered, which nobody is
    asked for here; so it is told of each."""
    tracing: dict[str, Any] = {"enabled": args.tracing_url is not None}
    if args.tracing_url is not None:
        tracing |= {"provider": "jaeger", "internal_url": args.tracing_url, "use_grpc": False}
    annotations = {"pod_annotations": {"mesh.components/credentials": _CREDENTIALS}} if args.clusters else {}
    return {
        **_shared(args),
        "deployment": {**_deployment(args), **annotations},
        "kubernetes_config": {"cluster_name": args.cluster_name},
        "clustering": {
            "autodetect_secrets": {"enabled": False},
            "clusters": [{"name": name, "secret_name": names.kiali_secret(name)} for name in args.clusters],
        },
        "external_services": {
            "istio": {"root_namespace": args.root_namespace},
            "prometheus": {"url": args.metrics_url},
            "tracing": tracing,
            "grafana": _grafana(args),
        },
    }


def _grafana(args: KialiArgs) -> dict[str, Any]:
    if args.grafana_url is None:
        return {"enabled": False}
    asked = {"enabled": True, "internal_url": args.grafana_url}
    if args.grafana_secret is None:
        return asked
    held = {key: f"secret:{args.grafana_secret}:admin-{value}" for key, value in _LOGIN.items()}
    return {**asked, "auth": {"type": "basic", **held}}


_LOGIN = {"username": "user", "password": "password"}


def _shared(args: KialiReaderArgs) -> dict[str, Any]:
    return {"auth": {"strategy": args.auth}, "login_token": {"signing_key": f"secret:{_SIGNING_KEY}:{_KEY}"}}


def _deployment(args: KialiReaderArgs) -> dict[str, Any]:
    return {"instance_name": KIALI, "view_only_mode": args.view_only}


def _chart(args: KialiReaderArgs) -> Chart:
    return Chart("kiali-server", args.version, REPOSITORY, KIALI)
