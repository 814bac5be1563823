"""Chart values from arguments. Pure: plain data in, plain data out (values of the `base` and `istiod` charts,
https://istio.io/latest/docs/setup/install/multicluster/).

Everything stands at the top level of the chart `istiod`, nothing below its `pilot`, which the chart merges over the top
level: so the escape hatch can override both spellings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_components.control_plane.args import ControlPlaneArgs
from mesh_components.control_plane.mesh_config import (
    istiod_hosts,
    mesh_config,
    mesh_networks,
    other_meshes,
    proxy,
    resources,
    visible,
)
from mesh_components.control_plane.placeholders import ADDRESS, CA_BUNDLE, URL_HOST
from mesh_components.settings.discovery import MountedSettings
from mesh_components.settings.istio import PilotSettings
from mesh_components.settings.location import AddressType, Platform
from mesh_components.topology.names import ISTIOD_PORT, MULTI_ROOT_ISTIOD, WEBHOOK_PORT
from mesh_components.topology.visibility import mcs_environment

CHART_PLATFORMS: dict[Platform, str] = {
    "gke": "gke",
    "k3d": "k3d",
    "k3s": "k3s",
    "microk8s": "microk8s",
    "minikube": "minikube",
    "openshift": "openshift",
}
"""Platforms for which Istio's charts have a profile. IBM, EKS, AKS and kind have none: they run with the defaults."""


SYSTEM_ROOTS = "/etc/ssl/certs/ca-certificates.crt"
"""Where Istio's proxy image has the certificates of public authorities."""

INJECTOR = "istio-sidecar-injector"
"""ConfigMap with the templates of sidecars."""


MOUNTED = "mesh-clusters"
"""Name of the volume with kubeconfigs."""


def crds() -> dict[str, Any]:
    """Values with which `base` holds nothing but the CRDs."""
    return {"defaultRevision": "", "global": {"enableReaderRBAC": False}}


def base(namespace: str) -> dict[str, Any]:
    """Values of `base` without its validator. None leaves out its CRDs: without `enableCRDTemplates` the chart prints
    them as they are."""
    return {"defaultRevision": "", "global": {"istioNamespace": namespace}}


def validator(revision: str, namespace: str, *, by_url: bool, trusted: bool) -> dict[str, Any]:
    """Values of `base` with which it also has its validator.

    Args:
        revision: that whose istiod validates; empty for the one without a name.
        namespace: the root namespace.
        by_url: the webhook goes to an istiod outside of the cluster.
        trusted: API servers trust its certificate without our root.
    """
    chosen = {"defaultRevision": revision or "default", "base": validation(by_url, trusted)}
    return merge(base(namespace), chosen)


def validation(by_url: bool, trusted: bool) -> dict[str, Any]:
    """`base`, of both charts. The same as istiod writes into its webhook, so that nothing differs afterwards
    (https://github.com/pulumi/pulumi-kubernetes/issues/2210)."""
    return {
        **({"validationURL": f"https://{URL_HOST}:{WEBHOOK_PORT}/validate"} if by_url else {}),
        **({} if trusted else {"validationCABundle": CA_BUNDLE}),
        "validationFailurePolicy": "Fail",
    }


def common(args: ControlPlaneArgs) -> dict[str, Any]:
    """Values of `istiod` in every role."""
    values: dict[str, Any] = {
        "global": {
            "meshID": args.mesh_id,
            "network": args.network,
            "multiCluster": {"clusterName": args.cluster_name},
            "istioNamespace": args.namespace,
            **_stated("proxy", proxy(args.mesh_config.proxy)),
            **_stated("meshNetworks", mesh_networks(args.mesh_networks)),
        },
        "meshConfig": {
            "trustDomain": args.trust_domain,
            **mesh_config(
                args.mesh_config,
                istiod_hosts(args.revisions, args.namespace),
                multi_root=args.multi_root,
                visibility=args.visibility,
            ),
            **visible(args.visibility, args.namespace, ambient=args.data_plane != "sidecar"),
            **other_meshes(args.trusted),
            **_stated("extensionProviders", list(args.extension_providers)),
        },
        **_stated(
            "env", {**({MULTI_ROOT_ISTIOD: "true"} if args.multi_root else {}), **mcs_environment(args.visibility)}
        ),
        **_stated("revision", args.revision),
        **_stated("platform", CHART_PLATFORMS.get(args.platform)),
        **_stated("cni", {"enabled": True} if args.cni else {}),
    }
    if args.mesh_config.tracing is not None:
        values["traceSampling"] = args.mesh_config.tracing.sampling
    return values


def primary(args: ControlPlaneArgs) -> dict[str, Any]:
    """What is added where an istiod serves its own cluster: both of its webhooks say what it would write there."""
    return {"base": validation(False, False), "istiodRemote": {"injectionCABundle": CA_BUNDLE}, **ambient(args)}


def ambient(args: ControlPlaneArgs) -> dict[str, Any]:
    """The profile, and the class of the gateways that connect networks, which istiod makes only when told."""
    if args.data_plane == "sidecar":
        return {}
    return {
        "profile": "ambient",
        **({"env": {"AMBIENT_ENABLE_MULTI_NETWORK": "true"}} if args.multi_network else {}),
    }


def deployment(revision: str, pilot: PilotSettings, network_policies: bool) -> dict[str, Any]:
    """istiod's own size. The chart adds the PodDisruptionBudget where there is more than one replica."""
    values: dict[str, Any] = {
        "autoscaleMin": pilot.min_replicas,
        "autoscaleMax": pilot.max_replicas,
        **resources(pilot.requests, pilot.limits),
    }
    if pilot.min_replicas > 1:
        values["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {"app": "istiod", "istio.io/rev": revision or "default"}},
            }
        ]
    return {**values, **policies(network_policies)}


def with_mounted(values: Mapping[str, Any], mounted: MountedSettings | None) -> dict[str, Any]:
    """The values of an istiod that reads kubeconfigs from a folder, besides the volumes that it has already. The folder
    has to be there when istiod starts: it does not look again (istio/istio pkg/kube/multicluster/
    remote_config_source.go)."""
    if mounted is None:
        return dict(values)
    mount = {"name": MOUNTED, "mountPath": mounted.path, "readOnly": True}
    return {
        **values,
        "env": {**values.get("env", {}), "PILOT_MULTICLUSTER_KUBECONFIG_PATH": mounted.path},
        "volumes": [*values.get("volumes", ()), {"name": MOUNTED, **mounted.volume}],
        "volumeMounts": [*values.get("volumeMounts", ()), mount],
    }


def policies(enabled: bool) -> dict[str, Any]:
    """A NetworkPolicy for what the chart runs: of `istiod`, `cni` and `ztunnel` alike."""
    return {"global": {"networkPolicy": {"enabled": True}}} if enabled else {}


def remote(
    cluster: str,
    network: str,
    *,
    address_type: AddressType,
    by_url: bool,
    service: bool,
    config: bool,
    trusted: bool,
) -> dict[str, Any]:
    """What is added where another cluster's istiod serves this one.

    Args:
        cluster: this cluster's ID, which istiod learns from the webhook's path.
        network: likewise.
        address_type: what the address of istiod's gateway is.
        by_url: the webhook goes to that address, and not to a Service that stands for it.
        service: a Service stands for it, so that proxies find istiod under its usual name.
        config: the cluster also holds the configuration.
        trusted: API servers trust istiod's certificate without our root.
    """
    path = f"/inject/cluster/{cluster}/net/{network}"
    injection = {"injectionURL": f"https://{URL_HOST}:{WEBHOOK_PORT}{path}"} if by_url else {"injectionPath": path}
    values: dict[str, Any] = {
        "profile": "remote",
        "istiodRemote": {**injection, **({} if trusted else {"injectionCABundle": CA_BUNDLE})},
    }
    if service:
        values["global"] = {"remotePilotAddress": ADDRESS[address_type]}
    if config:
        # istiod reads the mesh config of this cluster, and proxies are told there where it is.
        values |= {
            "configMap": True,
            "global": {"configCluster": True},
            "meshConfig": {"defaultConfig": {"discoveryAddress": f"{URL_HOST}:{ISTIOD_PORT}"}},
            "base": validation(True, trusted),
        }
    return values


def external(revision: str, *, trusted: bool) -> dict[str, Any]:
    """What is added where istiod serves other clusters only, the config cluster first among them.

    Its webhooks are in those clusters and carry what they need from the start, so it patches none. What it would read
    from ConfigMaps it would look for in the config cluster; as files it has them from here.

    Args:
        revision: as the ConfigMaps are called.
        trusted: the gateway in front of it has a certificate of a public authority.
    """
    where = f"{URL_HOST}:{ISTIOD_PORT}"
    metadata = {"proxyMetadata": dict.fromkeys(("XDS_ROOT_CA", "CA_ROOT_CA"), SYSTEM_ROOTS)} if trusted else {}
    mounts = {"config-volume": ("istio", "/etc/istio/config"), "inject-volume": (INJECTOR, "/var/lib/istio/inject")}
    return {
        "global": {
            "caAddress": where,
            "configValidation": False,
            "externalIstiod": True,
            "operatorManageWebhooks": True,
        },
        "meshConfig": {"defaultConfig": {"discoveryAddress": where, **metadata}},
        "env": {
            "INJECTION_WEBHOOK_CONFIG_NAME": "",
            "VALIDATION_WEBHOOK_CONFIG_NAME": "",
            "LOCAL_CLUSTER_SECRET_WATCHER": "true",
            "SHARED_MESH_CONFIG": _of_revision("istio", revision),
        },
        "volumes": [
            {"name": volume, "configMap": {"name": _of_revision(config_map, revision)}}
            for volume, (config_map, _) in mounts.items()
        ],
        "volumeMounts": [{"name": volume, "mountPath": path} for volume, (_, path) in mounts.items()],
    }


def cni(platform: Platform, revision: str, ambient: bool) -> dict[str, Any]:
    """Values of `cni`. The chart merges what is below its key `cni` over the top level, profiles included."""
    return {
        **({"profile": "ambient"} if ambient else {}),
        **_stated("platform", CHART_PLATFORMS.get(platform)),
        **_stated("revision", revision),
        # The profile leaves it to the version of the cluster, which nobody is asked for here.
        **({"cni": {"cniBinDir": "/home/kubernetes/bin"}} if platform == "gke" else {}),
    }


def ztunnel(cluster: str, network: str, platform: Platform, revision: str, namespace: str) -> dict[str, Any]:
    """Values of `ztunnel`; `namespace` is istiod's."""
    return {
        "multiCluster": {"clusterName": cluster},
        "network": network,
        "istioNamespace": namespace,
        **_stated("platform", CHART_PLATFORMS.get(platform)),
        **_stated("revision", revision),
    }


def merge(values: Mapping[str, Any], *over: Mapping[str, Any]) -> dict[str, Any]:
    """Each of `over` on top of `values`: mappings are merged key by key, anything else is replaced."""
    merged = dict(values)
    for layer in over:
        for key, value in layer.items():
            mine = merged.get(key)
            merged[key] = merge(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return merged


def _stated(key: str, value: Any) -> dict[str, Any]:
    return {key: value} if value else {}


def _of_revision(name: str, revision: str) -> str:
    return f"{name}-{revision}" if revision else name
