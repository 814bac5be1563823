"""What tells proxies to send traces and access logs: Istio's Telemetry. Does not own the mesh config, which says where
the providers are that it names (`extensionProviders`)."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pydantic import Field

from mesh_components.component import ComponentArgs, child_options
from mesh_components.gateways.webhook import retry_while_unserved
from mesh_components.istio import IstioResource, Metadata, Telemetry
from mesh_components.istio.shared import WorkloadSelector
from mesh_components.istio.telemetry import AccessLogging, ProviderRef, TelemetrySpec, Tracing
from mesh_components.kubernetes import GOES_AT_ONCE, KubernetesObject

NAME = "mesh-addons"


class MeshTelemetryArgs(ComponentArgs):
    """Who gets what."""

    namespace: str = "istio-system"
    """The root namespace: what is said there holds for all."""
    tracing: str | None = None
    """Name of the provider of traces."""
    sampling: float = 1.0
    """Percent of the requests that are traced."""
    access_logs: tuple[str, ...] = ()
    """Names of the providers of access logs."""
    silent: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    """Labels, by a name, of workloads whose proxies send nothing: those that take traces and logs would send about what
    they are sent, without end."""
    silent_namespace: str = "istio-system"
    """Where those are."""


class MeshTelemetry(pulumi.ComponentResource):
    """One per cluster whose configuration an istiod reads; hand it the cluster's provider through `opts.providers`
    (https://istio.io/latest/docs/tasks/observability/telemetry/)."""

    def __init__(self, name: str, args: MeshTelemetryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:MeshTelemetry", name, {"namespace": args.namespace}, opts)
        patient = pulumi.ResourceOptions.merge(child_options(self, opts), retry_while_unserved(name))
        for role, manifest in objects(args).items():
            KubernetesObject(f"{name}-{role}", manifest, patient)
        self.register_outputs({})


def objects(args: MeshTelemetryArgs) -> dict[str, IstioResource]:
    """One for the mesh, and one for each workload that keeps silent."""
    traced = (
        Tracing(providers=[ProviderRef(name=args.tracing)], random_sampling_percentage=args.sampling)
        if args.tracing
        else None
    )
    logged = (
        AccessLogging(providers=[ProviderRef(name=name) for name in args.access_logs]) if args.access_logs else None
    )
    spec = TelemetrySpec(tracing=[traced] if traced else None, access_logging=[logged] if logged else None)
    return {
        "mesh": Telemetry(metadata=_metadata(NAME, args.namespace), spec=spec),
        **{name: _silent(name, args.silent_namespace, labels) for name, labels in args.silent.items()},
    }


def _silent(name: str, namespace: str, labels: Mapping[str, str]) -> Telemetry:
    spec = TelemetrySpec(
        selector=WorkloadSelector(match_labels=dict(labels)),
        tracing=[Tracing(disable_span_reporting=True)],
        access_logging=[AccessLogging(disabled=True)],
    )
    return Telemetry(metadata=_metadata(f"{NAME}-{name}", namespace), spec=spec)


def _metadata(name: str, namespace: str) -> Metadata:
    return Metadata(name=name, namespace=namespace, annotations=dict(GOES_AT_ONCE))
