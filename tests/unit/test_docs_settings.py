"""What the documentation says of the document: every key with its default, and examples that are accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mesh_components.istio import IstioModel
from mesh_components.settings import MeshSettings, Severity, parse
from mesh_components.settings.addons import (
    AddonsSettings,
    CollectorSettings,
    DashboardSettings,
    FederationSettings,
    GrafanaSettings,
    JaegerSettings,
    KialiSettings,
    LokiSettings,
    PrometheusSettings,
)
from mesh_components.settings.addresses import AddressSettings
from mesh_components.settings.applications import ApplicationsSettings, BookinfoSettings, HelloWorldSettings
from mesh_components.settings.base import ResourceAmounts
from mesh_components.settings.cluster import ApiServerSettings, ClusterSettings, K3sSettings, StackReferenceSettings
from mesh_components.settings.create import CreateSettings
from mesh_components.settings.discovery import DiscoverySettings, EdgeSettings, MountedSettings, TokenSettings
from mesh_components.settings.egress import EgressHost, EgressSettings
from mesh_components.settings.gateway import EastWestSettings
from mesh_components.settings.gke import (
    AuthorizedNetworkSettings,
    GkeNodePoolSettings,
    GkeSettings,
    GkeVpcSettings,
)
from mesh_components.settings.ibm import IbmSettings, IbmWorkerPoolSettings, IbmZoneSettings
from mesh_components.settings.ingress import (
    IngressHost,
    IngressNodePorts,
    IngressPorts,
    IngressRoute,
    IngressSettings,
    IngressTls,
)
from mesh_components.settings.istio import (
    AccessLogSettings,
    ChartSource,
    ChartValues,
    IstioSettings,
    MeshConfigSettings,
    MeshNetwork,
    NetworkEndpoints,
    NetworkGateway,
    PilotSettings,
    ProxySettings,
    RevisionSettings,
    TracingSettings,
)
from mesh_components.settings.location import LocalitySettings
from mesh_components.settings.meshes import (
    CrossMeshSettings,
    ExportPort,
    ExportSettings,
    FactsSource,
    ImportSettings,
    OtherMesh,
)
from mesh_components.settings.peers import ClientCertificateSettings, OidcSettings, PeerAuthenticationSettings
from mesh_components.settings.place import KubeconfigSettings, PlaceSettings
from mesh_components.settings.source import (
    AppRoleSettings,
    CertManagerSettings,
    GoogleCasSettings,
    IntermediateSettings,
    IssuerSettings,
    KubernetesLoginSettings,
    OwnRootSettings,
    SourceSettings,
    VaultSettings,
)
from mesh_components.settings.tenancy import PolicySettings, PortSettings, TeamSettings
from mesh_components.settings.traffic import FailoverSettings, MirrorSettings, RouteSettings, TrafficSettings
from mesh_components.settings.trust import RotationSettings, TrustSettings
from mesh_components.settings.virtual_machines import (
    ExecProbe,
    GrpcProbe,
    HttpProbe,
    MachinePort,
    ProbeSettings,
    TcpProbe,
    VirtualMachineSettings,
)
from mesh_components.settings.visibility import (
    ExportToSettings,
    LabelRequirement,
    LabelSelector,
    McsSettings,
    SidecarScopeSettings,
    VisibilitySettings,
)
from mesh_components.settings.waypoints import WaypointSettings
from mesh_components.topology.findings import findings
from tests.support.graph import ROOT

PAGE = (ROOT / "docs/settings.md").read_text()

SECTIONS: list[tuple[str, str, type[BaseModel]]] = [
    ("The mesh", "", MeshSettings),
    ("`clusters[]`", "", ClusterSettings),
    ("`kubeconfig`, `peerKubeconfig`", "", KubeconfigSettings),
    ("`peerAuthentication`", "", PeerAuthenticationSettings),
    ("`peerAuthentication`", "clientCertificate.", ClientCertificateSettings),
    ("`peerAuthentication`", "oidc.", OidcSettings),
    ("`k3s`", "", K3sSettings),
    ("`stackReference`", "", StackReferenceSettings),
    ("`create`", "", CreateSettings),
    ("`create.gke`", "", GkeSettings),
    ("`create.gke`", "vpc.", GkeVpcSettings),
    ("`create.gke`", "authorizedNetworks[].", AuthorizedNetworkSettings),
    ("`create.gke`", "nodePools[].", GkeNodePoolSettings),
    ("`create.ibm`", "", IbmSettings),
    ("`create.ibm`", "zones[].", IbmZoneSettings),
    ("`create.ibm`", "workerPools[].", IbmWorkerPoolSettings),
    ("`addresses`", "", AddressSettings),
    ("`apiServer`", "", ApiServerSettings),
    ("`locality`", "", LocalitySettings),
    ("`eastWest`", "", EastWestSettings),
    ("`eastWest`", "requests.", ResourceAmounts),
    ("`eastWest`", "limits.", ResourceAmounts),
    ("`ingress[]`", "", IngressSettings),
    ("`ingress[]`", "ports.", IngressPorts),
    ("`ingress[]`", "nodePorts.", IngressNodePorts),
    ("`ingress[]`", "requests.", ResourceAmounts),
    ("`ingress[]`", "limits.", ResourceAmounts),
    ("`hosts[]`", "", IngressHost),
    ("`hosts[]`", "tls.", IngressTls),
    ("`routes[]`", "", IngressRoute),
    ("`egress`", "", EgressSettings),
    ("`egress`", "hosts[].", EgressHost),
    ("`egress`", "requests.", ResourceAmounts),
    ("`egress`", "limits.", ResourceAmounts),
    ("`istio`", "", IstioSettings),
    ("`revisions[]`", "", RevisionSettings),
    ("`pilot`", "", PilotSettings),
    ("`pilot`", "requests.", ResourceAmounts),
    ("`pilot`", "limits.", ResourceAmounts),
    ("`charts`", "", ChartSource),
    ("`meshConfig`", "", MeshConfigSettings),
    ("`meshConfig`", "accessLog.", AccessLogSettings),
    ("`meshConfig`", "tracing.", TracingSettings),
    ("`meshConfig`", "proxy.", ProxySettings),
    ("`meshConfig`", "proxy.requests.", ResourceAmounts),
    ("`meshConfig`", "proxy.limits.", ResourceAmounts),
    ("`meshNetworks`", "", MeshNetwork),
    ("`meshNetworks`", "endpoints[].", NetworkEndpoints),
    ("`meshNetworks`", "gateways[].", NetworkGateway),
    ("`values`", "", ChartValues),
    ("`trust`", "", TrustSettings),
    ("`source`", "", SourceSettings),
    ("`place`", "", PlaceSettings),
    ("`root`", "", OwnRootSettings),
    ("`intermediates.<cluster>`", "", IntermediateSettings),
    ("`certManager`", "", CertManagerSettings),
    ("`certManager`", "issuer.", IssuerSettings),
    ("`vault`", "", VaultSettings),
    ("`vault`", "appRole.", AppRoleSettings),
    ("`vault`", "kubernetes.", KubernetesLoginSettings),
    ("`googleCas`", "", GoogleCasSettings),
    ("`trust`", "rotation.", RotationSettings),
    ("`discovery`", "", DiscoverySettings),
    ("`tokens`", "", TokenSettings),
    ("`crossMesh`", "", CrossMeshSettings),
    ("`meshes[]`", "", OtherMesh),
    ("`facts`", "", FactsSource),
    ("`imports[]`", "", ImportSettings),
    ("`exports[]`", "", ExportSettings),
    ("`ports[]`", "", ExportPort),
    ("`mounted`", "", MountedSettings),
    ("`visibility`", "", VisibilitySettings),
    ("`visibility`", "exportTo.", ExportToSettings),
    ("`visibility`", "sidecars.", SidecarScopeSettings),
    ("`mcs`", "", McsSettings),
    ("`teams[]`", "", TeamSettings),
    ("`policies`", "", PolicySettings),
    ("`policies`", "ports[].", PortSettings),
    ("`discoverySelectors[]`", "", LabelSelector),
    ("`discoverySelectors[]`", "matchExpressions[].", LabelRequirement),
    ("`discovery`", "edges[].", EdgeSettings),
    ("`applications`", "", ApplicationsSettings),
    ("`helloworld`", "", HelloWorldSettings),
    ("`bookinfo`", "", BookinfoSettings),
    ("`addons`", "", AddonsSettings),
    ("`prometheus`", "", PrometheusSettings),
    ("`prometheus`", "federation.", FederationSettings),
    ("`grafana`", "", GrafanaSettings),
    ("`grafana`", "dashboards.<name>.", DashboardSettings),
    ("`jaeger`", "", JaegerSettings),
    ("`kiali`", "", KialiSettings),
    ("`loki`", "", LokiSettings),
    ("`loki`", "collector.", CollectorSettings),
    ("`virtualMachines[]`", "", VirtualMachineSettings),
    ("`virtualMachines[].ports[]`", "", MachinePort),
    ("`probe`", "", ProbeSettings),
    ("`probe`", "httpGet.", HttpProbe),
    ("`probe`", "tcpSocket.", TcpProbe),
    ("`probe`", "exec.", ExecProbe),
    ("`probe`", "grpc.", GrpcProbe),
    ("`traffic[]`", "", TrafficSettings),
    ("`failover`", "", FailoverSettings),
    ("`traffic[].routes[]`", "", RouteSettings),
    ("`mirror`", "", MirrorSettings),
    ("`waypoints[]`", "", WaypointSettings),
    ("`waypoints[]`", "requests.", ResourceAmounts),
    ("`waypoints[]`", "limits.", ResourceAmounts),
]
"""Heading on the page, what stands before its keys there, and the model."""

ONLY_BELOW = {"issuer", "proxy.requests", "proxy.limits", "requests", "limits"}
"""Models whose keys are on the page, and which have no row of their own."""


def rows(heading: str) -> dict[str, str]:
    """The default by key, of the table under a heading."""
    found = re.search(rf"^##+ {re.escape(heading)}(?: {{[^}}\n]*}})?$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/settings.md has no heading {heading}"
    table: dict[str, str] = {}
    for line in found[1].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            table |= {key.strip(" `"): cells[2] for key in cells[0].split(",")}
    return table


def written(default: Any) -> str:
    """A default as the page has it."""
    if default is PydanticUndefined:
        return "**required**"
    if default is None:
        return "`-`"
    if isinstance(default, PlaceSettings):
        return f"`{default.environment}`"
    if isinstance(default, BaseModel):
        return "`{}`"
    if default in ((GkeNodePoolSettings(),), (IbmWorkerPoolSettings(),)):
        return "one, `default`"
    if isinstance(default, str) and default:
        return f"`{default}`"
    return f"`{json.dumps(default)}`"


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model, and every one that its fields name."""
    yield model
    for field in model.model_fields.values():
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            # What Istio's own models hold stands in Istio's reference.
            if isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, IstioModel):
                yield from models(kind)


@pytest.mark.parametrize(("heading", "prefix", "model"), SECTIONS, ids=lambda value: getattr(value, "__name__", value))
def test_every_key_stands_with_its_default(heading: str, prefix: str, model: type[BaseModel]) -> None:
    table = rows(heading)
    for field in model.model_fields.values():
        key = f"{prefix}{field.alias}"
        if key in ONLY_BELOW:
            continue
        assert table.get(key) == written(field.get_default(call_default_factory=True)), key


@pytest.mark.parametrize("heading", sorted({heading for heading, _, _ in SECTIONS}))
def test_no_key_stands_that_does_not_exist(heading: str) -> None:
    known = {f"{p}{f.alias}" for h, p, model in SECTIONS if h == heading for f in model.model_fields.values()}
    assert rows(heading).keys() <= known


def test_every_model_has_a_section() -> None:
    assert {model for _, _, model in SECTIONS} == set(models(MeshSettings))


RECIPES = sorted(path for path in (ROOT / "docs/recipes").glob("*.md"))
PAGES = [ROOT / "README.md", *RECIPES]


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_documents_on_the_pages_are_accepted(page: Path) -> None:
    documents = [yaml.safe_load(block)["config"]["mesh:mesh"] for block in blocks(page) if "mesh:mesh:" in block]
    for document in documents:
        assert [str(f) for f in findings(parse(document)) if f.severity is Severity.ERROR] == []


def test_every_source_of_a_root_has_a_document_that_is_accepted() -> None:
    """The page has the part about trust; the clusters are those it speaks of."""
    clusters = [{"name": name, "network": name, "kubeconfig": {"secret": name}} for name in ("east", "west")]
    shown: set[str] = set()
    for block in blocks(ROOT / "docs/certificates.md"):
        mesh = parse({"id": "m", "istio": {"version": "1.30.3"}, "clusters": clusters, **yaml.safe_load(block)})
        assert [str(found) for found in findings(mesh)] == []
        shown |= set(mesh.trust.source.stated if mesh.trust.source else ())
    assert shown == {field.alias for field in SourceSettings.model_fields.values()}


STACKS = [page for page in RECIPES if (ROOT / f"stacks/Pulumi.{page.stem}.yaml").is_file()]


@pytest.mark.parametrize("page", STACKS, ids=lambda page: page.stem)
def test_a_recipe_shows_its_stack_file(page: Path) -> None:
    stack = (ROOT / f"stacks/Pulumi.{page.stem}.yaml").read_text()
    assert yaml.safe_load(stack) in [yaml.safe_load(block) for block in blocks(page)]


@pytest.mark.parametrize("stack", sorted((ROOT / "stacks").glob("Pulumi.*.yaml")), ids=lambda stack: stack.stem)
def test_a_stack_file_is_accepted(stack: Path) -> None:
    document = yaml.safe_load(stack.read_text())["config"]["mesh:mesh"]
    assert [str(f) for f in findings(parse(document)) if f.severity is Severity.ERROR] == []


def test_every_topology_has_a_page() -> None:
    assert len(STACKS) >= 8
