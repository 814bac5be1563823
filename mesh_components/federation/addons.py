"""The add-ons of a federation: what `topology.addons` decided, cluster by cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from mesh_components.addons.elsewhere import ServiceElsewhere, ServiceElsewhereArgs
from mesh_components.addons.grafana import Grafana, GrafanaArgs
from mesh_components.addons.jaeger import Jaeger, JaegerArgs
from mesh_components.addons.kiali import Kiali, KialiArgs, KialiReader, KialiReaderArgs
from mesh_components.addons.kiali_secret import KialiRemoteSecret, KialiRemoteSecretArgs
from mesh_components.addons.loki import LogCollector, LogCollectorArgs, Loki, LokiArgs
from mesh_components.addons.prometheus import Prometheus, PrometheusArgs
from mesh_components.addons.telemetry import MeshTelemetry, MeshTelemetryArgs
from mesh_components.clusters.namespace import RootNamespace, RootNamespaceArgs
from mesh_components.control_plane import charts
from mesh_components.discovery.requested import RequestedToken
from mesh_components.discovery.source import RemoteSource
from mesh_components.discovery.token import Token
from mesh_components.federation import credentials
from mesh_components.federation.member import Member, Site
from mesh_components.settings.addons import AddonSettings, KialiSettings, PrometheusSettings
from mesh_components.topology import addon_names, addons, names
from mesh_components.topology.tokens import serials


def build(site: Site, members: Mapping[str, Member]) -> None:
    """All of them, in every cluster that has a part of one. Members then know what Kiali reads them with."""
    if not addons.stated(site.mesh):
        return
    renderer = site.renderer or charts.renderer(f"{site.name}-charts", site.parent)
    places = {name: _Place(site, made, renderer) for name, made in members.items()}
    for place in places.values():
        place.everywhere()
    where = addons.home(site.mesh)
    if where is not None:
        place = places[where.name]
        place.one_place()
        _kiali(place, [other for name, other in places.items() if name != where.name])


class _Place:
    """One cluster, and how add-ons are built in it."""

    def __init__(self, site: Site, member: Member, renderer: pulumi.ProviderResource) -> None:
        self.site, self.member, self.mesh = site, member, site.mesh
        self.cluster = member.plan.settings
        self.prefix = member.prefix
        self.namespace = addons.namespace(site.mesh)
        self._renderer = renderer
        self._made: list[pulumi.Resource] = []

    def everywhere(self) -> None:
        """What clusters have for the sake of those in one place."""
        if addons.makes_namespace(self.mesh, self.cluster):
            args = RootNamespaceArgs(network=None, namespace=self.namespace)
            self._made.append(RootNamespace(f"{self.prefix}-{self.namespace}", args, self.inside()))
        for item in addons.stand_ins(self.mesh, self.cluster):
            elsewhere = ServiceElsewhereArgs(
                name=item.name,
                namespace=self.namespace,
                port=item.port,
                protocol=item.protocol,
                exported=addons.plane(self.mesh, in_mesh=True) == "ambient",
            )
            ServiceElsewhere(f"{self.prefix}-elsewhere-{item.name}", elsewhere, self.inside())
        prometheus = self.mesh.addons.prometheus
        if prometheus is not None and addons.collects(self.mesh, self.cluster):
            called = self.cluster in addons.through_mesh(self.mesh)
            collecting = PrometheusArgs(
                **self._chart(prometheus, in_mesh=called),
                **_kept(prometheus),
                name=addons.collector(self.cluster.name),
            )
            Prometheus(f"{self.prefix}-prometheus", collecting, self.inside())
        if addons.has_telemetry(self.mesh, self.cluster):
            MeshTelemetry(f"{self.prefix}-telemetry", self._telemetry(), self.inside())

    def one_place(self) -> None:
        """What there is once."""
        asked = self.mesh.addons
        if asked.prometheus is not None:
            Prometheus(f"{self.prefix}-prometheus-of-mesh", self._prometheus(asked.prometheus), self.inside())
        if asked.jaeger is not None:
            Jaeger(f"{self.prefix}-jaeger", JaegerArgs(**self._chart(asked.jaeger, in_mesh=True)), self.inside())
        if asked.loki is not None:
            loki = LokiArgs(**self._chart(asked.loki), storage=asked.loki.storage)
            made = Loki(f"{self.prefix}-loki", loki, self.inside())
            collector = LogCollectorArgs(
                **self._chart(asked.loki.collector, in_mesh=True), logs_url=addons.logs_url(self.mesh) or ""
            )
            LogCollector(f"{self.prefix}-access-logs", collector, self.inside(made))
        if asked.grafana is not None:
            grafana = GrafanaArgs(
                **self._chart(asked.grafana),
                metrics_url=addons.metrics_url(self.mesh) or "",
                logs_url=addons.logs_url(self.mesh),
                tracing_url=addons.tracing_url(self.mesh),
                anonymous=asked.grafana.anonymous,
                admin_secret=asked.grafana.admin_secret,
                istio_version=self.mesh.istio.version if asked.grafana.istio_dashboards else None,
                dashboards=asked.grafana.dashboards,
            )
            self._made.append(Grafana(f"{self.prefix}-grafana", grafana, self.inside()))

    def kiali(self, settings: KialiSettings, others: tuple[str, ...], changes: pulumi.Output[str]) -> KialiArgs:
        """What Kiali is told, in this cluster."""
        return KialiArgs(
            **self._kiali_chart(settings),
            cluster_name=self.cluster.name,
            root_namespace=self.mesh.istio.namespace,
            clusters=others,
            credentials=changes,
            metrics_url=addons.metrics_url(self.mesh) or "",
            tracing_url=addons.tracing_url(self.mesh),
            grafana_url=addons.grafana_url(self.mesh),
            grafana_secret=addons.grafana_secret(self.mesh),
        )

    def kiali_account(self, settings: KialiSettings) -> KialiReaderArgs:
        """What its account may do, in any cluster."""
        return KialiReaderArgs(**self._kiali_chart(settings))

    def inside(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        """Options of what is built here: after the control planes, whose webhooks see every pod."""
        return self.site.inside(self.member, *self.member.ready, *self.member.credentials, *self._made, *after)

    def _prometheus(self, settings: PrometheusSettings) -> PrometheusArgs:
        chart = self._chart(settings, in_mesh=bool(addons.through_mesh(self.mesh)))
        if settings.federation is None:
            return PrometheusArgs(**chart, **_kept(settings))
        return PrometheusArgs(
            **chart,
            **_kept(settings),
            sources=addons.sources(self.mesh),
            match=settings.federation.match,
            interval=settings.federation.interval,
        )

    def _telemetry(self) -> MeshTelemetryArgs:
        tracing = self.mesh.istio.mesh_config.tracing
        return MeshTelemetryArgs(
            namespace=self.mesh.istio.namespace,
            tracing=addon_names.JAEGER if self.mesh.addons.jaeger is not None else None,
            **({"sampling": tracing.sampling} if tracing is not None else {}),
            access_logs=addons.access_log_providers(self.mesh),
            silent=addons.silent(self.mesh, self.cluster),
            silent_namespace=self.namespace,
        )

    def _kiali_chart(self, settings: KialiSettings) -> dict[str, Any]:
        return {**self._chart(settings), "auth": settings.auth, "view_only": settings.view_only}

    def _chart(self, settings: AddonSettings, *, in_mesh: bool = False) -> dict[str, Any]:
        return {
            "version": settings.version,
            "namespace": self.namespace,
            "charts": settings.charts,
            "values": settings.values,
            "renderer": self._renderer,
            "plane": addons.plane(self.mesh, in_mesh=in_mesh),
            "revision": self.mesh.istio.revision,
        }


def _kept(settings: PrometheusSettings) -> dict[str, Any]:
    return {"retention": settings.retention, "storage": settings.storage}


def _kiali(place: _Place, others: list[_Place]) -> None:
    """Kiali, after its account in every other cluster and the secret for it."""
    settings = place.mesh.addons.kiali
    if settings is None:
        return
    read = {other.cluster.name: _kiali_reads(place, other, settings) for other in others}
    changes = pulumi.Output.all(*(version for _, version in read.values())).apply(",".join)
    args = place.kiali(settings, tuple(read), changes)
    after = [secret for secret, _ in read.values()]
    Kiali(f"{place.prefix}-kiali", args, place.inside(*after))


def _kiali_reads(place: _Place, other: _Place, settings: KialiSettings) -> tuple[pulumi.Resource, pulumi.Output[str]]:
    """The secret for one cluster, and what changes when it does."""
    account = KialiReader(f"{other.prefix}-kiali-reader", other.kiali_account(settings), other.inside())
    token: Token | None = None
    version = ""
    for serial in serials(settings.tokens, other.cluster.name):
        name = names.numbered(f"{other.prefix}-kiali-token", serial)
        whose = {"namespace": other.namespace, "account": addon_names.KIALI, "serial": serial}
        token = credentials.made_token(settings.tokens, other.member, name, whose, other.inside(account))
        version = f"{other.cluster.name}:{serial}"
    source = RemoteSource(
        token=token,
        api_server=credentials.api_server(other.member, place.cluster.name),
        tls_server_name=other.cluster.api_server.tls_server_name,
    )
    args = KialiRemoteSecretArgs(
        source_name=other.cluster.name, source=source, reader=place.member.cluster, namespace=place.namespace
    )
    opts = pulumi.ResourceOptions(parent=place.site.parent, depends_on=place.inside().depends_on)
    secret = KialiRemoteSecret(f"{other.prefix}-kiali-secret", args, opts)
    other.member.kiali_token = token
    if isinstance(token, RequestedToken):
        return secret, token.expires.apply(lambda ends: f"{version}:{ends}")
    return secret, pulumi.Output.from_input(version)
