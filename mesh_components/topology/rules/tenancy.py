"""Several meshes in one cluster, teams in one mesh, and policies: names that meet, and policies that shut too much."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.settings.istio import IstioSettings
from mesh_components.settings.tenancy import TeamSettings
from mesh_components.topology import applications, tenancy, visibility
from mesh_components.topology.names import UNNAMED_REVISION
from mesh_components.topology.revisions import all_revisions, tags
from mesh_components.topology.rules.context import Context, error, quoted, quoted_key, warning
from mesh_components.topology.rules.names import DNS_LABEL

_PARTS = 2
_REWRITE = "istio.values.istiod.sidecarInjectorWebhook.rewriteAppHTTPProbe"


def twice(context: Context) -> Iterator[Finding]:
    """MESH860."""
    teams: dict[str, str] = {}
    namespaces = {settings.namespace: f"the application {name}" for name, settings in applications.stated(context.mesh)}
    for place, team in _teams(context):
        if teams.setdefault(team.name, place) != place:
            why = f"{quoted(team.name)} is the name of {teams[team.name]} too"
            yield error("MESH860", f"{place}.name", why, "give each team a name of its own")
        for index, namespace in enumerate(team.namespaces):
            here = f"{place}.namespaces[{index}]"
            whose = namespaces.setdefault(namespace, here)
            if whose != here:
                why = f"{quoted(namespace)} is a namespace of {whose} too, and a namespace has one owner"
                yield error("MESH860", here, why, "let one have it, and name it among the other's `callers`")


def names(context: Context) -> Iterator[Finding]:
    """MESH861."""
    root = context.mesh.istio.namespace
    for place, team in _teams(context):
        stated = [(f"{place}.name", team.name)]
        stated += [(f"{place}.namespaces[{n}]", namespace) for n, namespace in enumerate(team.namespaces)]
        for where, name in stated:
            if not DNS_LABEL.fullmatch(name):
                fix = "use lower-case letters, digits and inner dashes, at most 63"
                yield error("MESH861", where, f"{quoted(name)} is no DNS-1123 label", fix)
        for where, name in stated[1:]:
            if name == root or name.startswith("kube-"):
                whose = "the root namespace" if name == root else "Kubernetes' own"
                yield error("MESH861", where, f"{quoted(name)} is {whose}, and no team's", "take it out")


def strangers(context: Context) -> Iterator[Finding]:
    """MESH862."""
    known = {team.name for team in context.mesh.teams}
    for place, team in _teams(context):
        for index, caller in enumerate(team.callers):
            if caller not in known:
                why = f"{quoted(caller)} may call the team's workloads, and is no team of the mesh"
                yield error("MESH862", f"{place}.callers[{index}]", why, "name a team of `teams`")
        for index, account in enumerate(team.accounts):
            parts = account.split("/")
            if len(parts) != _PARTS or not DNS_LABEL.fullmatch(parts[0]) or not parts[1]:
                why = f"{quoted(account)} is no service account"
                yield error("MESH862", f"{place}.accounts[{index}]", why, "write `<namespace>/<account>`")
        if not team.closed and (team.callers or team.accounts):
            why = "somebody may call the team's workloads, and nobody may not: `closed` is false"
            yield error("MESH862", f"{place}.closed", why, "leave `closed` out, or take `callers` and `accounts` out")


def probes(context: Context) -> Iterator[Finding]:
    """MESH863 (https://istio.io/latest/docs/ops/configuration/mesh/app-health-check/)."""
    mesh = context.mesh
    webhook = mesh.istio.values.istiod.get("sidecarInjectorWebhook")
    if not isinstance(webhook, dict) or webhook.get("rewriteAppHTTPProbe") is not False:
        return
    if mesh.istio.data_plane == "ambient":
        return
    strict = [place for place, mode in _modes(context) if mode == "STRICT"]
    if strict:
        yield error(
            "MESH863",
            _REWRITE,
            f"kubelet probes pods in plaintext, and `{strict[0]}: STRICT` refuses that: with probes that are not "
            "rewritten, pods with a probe never get ready",
            "leave probes rewritten, or open their ports in `policies.ports`",
        )


def nobody_known(context: Context) -> Iterator[Finding]:
    """MESH864."""
    whole = context.mesh.policies
    if whole.authorization == "deny" and whole.mtls == "DISABLE":
        yield _nobody("policies.mtls")
    for place, team in _teams(context):
        if team.closed and (team.mtls or whole.mtls) == "DISABLE":
            yield _nobody(f"{place}.mtls" if team.mtls else "policies.mtls")


def _nobody(place: str) -> Finding:
    return error(
        "MESH864",
        place,
        "callers are known by the certificates of mutual TLS, and without it a closed namespace is closed to everyone",
        "use STRICT or PERMISSIVE, or open it (`closed: false`)",
    )


def injectors(context: Context) -> Iterator[Finding]:
    """MESH865."""
    mesh = context.mesh
    known = {item.name for item in all_revisions(mesh)}
    known |= {tag for cluster in mesh.clusters for tag, _ in tags(mesh, cluster)}
    for place, team in _teams(context):
        if team.revision is not None and team.in_mesh and mesh.istio.install == "charts" and team.revision not in known:
            why = f"{quoted(team.revision)} is neither a revision nor a tag, so nobody injects the team's workloads"
            yield error("MESH865", f"{place}.revision", why, "name one of `istio.revisions` or `istio.tags`")
        if team.data_plane is not None and mesh.istio.data_plane not in ("mixed", team.data_plane):
            why = f"the mesh has no {team.data_plane}, but `istio.dataPlane: {mesh.istio.data_plane}`"
            yield error("MESH865", f"{place}.dataPlane", why, "leave it out, or set `istio.dataPlane: mixed`")


def modes_twice(context: Context) -> Iterator[Finding]:
    """MESH866. istiod takes the older of two."""
    mesh = context.mesh
    taken = {name: f"{place}.mtls" for place, team in _teams(context) if team.mtls for name in team.namespaces}
    if mesh.policies.mtls:
        taken[mesh.istio.namespace] = "policies.mtls"
    for namespace in mesh.policies.namespaces:
        if namespace in taken:
            place = f"policies.namespaces.{quoted_key(namespace)}"
            yield error("MESH866", place, f"{taken[namespace]} says it of this namespace too", "say it in one place")


def unselected(context: Context) -> Iterator[Finding]:
    """MESH867."""
    mesh = context.mesh
    selectors = visibility.selectors(mesh.visibility, mesh.istio.namespace)
    for place, team in _teams(context):
        for index, namespace in enumerate(team.namespaces):
            labels = {**tenancy.labels(mesh, team), visibility.NAMESPACE_NAME: namespace}
            seen = not selectors or any(visibility.selects(item, labels) for item in selectors)
            if not seen and team.in_mesh and team.create:
                yield error(
                    "MESH867",
                    f"{place}.namespaces[{index}]",
                    f"none of `visibility.discoverySelectors` selects {quoted(namespace)}, so istiod does not see it "
                    "and its pods get no root certificate",
                    "give the team a label that one of them asks for, or add a selector",
                )


def unnamed(context: Context) -> Iterator[Finding]:
    """MESH868."""
    mesh = context.mesh
    if mesh.istio.tenancy == "alone":
        return
    why = "the injectors of two meshes in one cluster would both take the same pods"
    if any(not item.name for item in all_revisions(mesh)):
        yield error("MESH868", "istio.revision", f"the revision has no name: {why}", "name it after the mesh")
    named = {"istio.tags": mesh.istio.tags, **{f"clusters[{n}].tags": c.tags for n, c in context.clusters()}}
    for place, stated in named.items():
        if UNNAMED_REVISION in stated and mesh.istio.tenancy == "guest":
            yield error(
                "MESH868", place, f"the tag {UNNAMED_REVISION} is for one mesh only: {why}", "leave it to the host"
            )


def unbounded(context: Context) -> Iterator[Finding]:
    """MESH869 (https://istio.io/latest/docs/setup/install/multiple-controlplanes/)."""
    mesh = context.mesh
    values = mesh.istio.values.istiod.get("meshConfig")
    by_hand = isinstance(values, dict) and bool(values.get("discoverySelectors"))
    if mesh.istio.tenancy != "alone" and not mesh.visibility.discovery_selectors and not by_hand:
        yield error(
            "MESH869",
            "visibility.discoverySelectors",
            "other meshes are in the same clusters, and istiod would look at their namespaces too: it would write its "
            "root certificate over theirs",
            "select the namespaces of this mesh by a label",
        )


def guests(context: Context) -> Iterator[Finding]:
    """MESH870."""
    mesh = context.mesh
    if mesh.istio.tenancy != "guest":
        return
    if mesh.istio.data_plane != "sidecar":
        why = "a node has one ztunnel, and it belongs to the mesh that is host"
        yield error("MESH870", "istio.dataPlane", why, "use sidecars, or make this mesh the host")
    for index, cluster in context.clusters():
        if cluster.role in ("external", "config"):
            why = "an external control plane is made of what a cluster has once"
            yield error("MESH870", f"clusters[{index}].role", why, "make it a mesh of its own clusters, or the host")


def not_a_guests(context: Context) -> Iterator[Finding]:
    """MESH871."""
    stated, plain = context.mesh.istio, IstioSettings()
    if stated.tenancy != "guest" or stated.install == "none":
        return
    for key, alias in (("crds", "crds"), ("keep_crds", "keepCrds"), ("gateway_api", "gatewayApi")):
        if getattr(stated, key) != getattr(plain, key):
            why = "the mesh that is host brings the CRDs, so nobody reads this"
            yield warning("MESH871", f"istio.{alias}", why, "say it in the host's document, and take it out here")


def _teams(context: Context) -> Iterator[tuple[str, TeamSettings]]:
    return ((f"teams[{index}]", team) for index, team in enumerate(context.mesh.teams))


def _modes(context: Context) -> Iterator[tuple[str, str | None]]:
    whole = context.mesh.policies
    yield "policies.mtls", whole.mtls
    yield from ((f"policies.namespaces.{quoted_key(name)}", mode) for name, mode in whole.namespaces.items())
    yield from ((f"{place}.mtls", team.mtls) for place, team in _teams(context))


RULES = (
    twice,
    names,
    strangers,
    probes,
    nobody_known,
    injectors,
    modes_twice,
    unselected,
    unnamed,
    unbounded,
    guests,
    not_a_guests,
)
