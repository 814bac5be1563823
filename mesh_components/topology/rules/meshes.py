"""Trust between meshes, as far as the document alone says: names that must differ, hosts, and who can be reached.

Facts: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/ and Istio's pilot/pkg/networking/plugin/authn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mesh_components.settings import Finding
from mesh_components.settings.meshes import ImportSettings
from mesh_components.topology import meshes
from mesh_components.topology.rules.context import Context, at, error, quoted, warning
from mesh_components.topology.rules.names import DNS_LABEL, LABEL_VALUE

_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)+{_LABEL}")
_TRUST_DOMAIN = re.compile(rf"(?=.{{1,255}}\Z)({_LABEL}\.)*{_LABEL}")
"""istiod wants DNS labels (`ValidateTrustDomain`), which is less than SPIFFE lets through."""
_NAMESPACE_AND_NAME = 2


def mesh_id(context: Context) -> Iterator[Finding]:
    """MESH802. Resources are called after the ID, so two may not differ in case or punctuation alone."""
    known = {meshes.slug(context.mesh.id): "this mesh's own"}
    for index, other in enumerate(context.mesh.meshes):
        place, slug = f"meshes[{index}].name", meshes.slug(other.name)
        if not LABEL_VALUE.fullmatch(other.name) or not slug:
            yield error(
                "MESH802",
                place,
                f"{quoted(other.name)} is no mesh ID",
                "write the `id` of that mesh: letters, digits, and inner dashes, dots and underscores",
            )
            continue
        whose = known.setdefault(slug, f"meshes[{index}]'s")
        if whose != f"meshes[{index}]'s":
            yield error(
                "MESH802",
                place,
                f"{quoted(other.name)} is {whose} ID too; exports name meshes by it, and could mean either",
                "one of the two meshes has to take another ID, or it stands here twice and one entry goes",
            )


def trust_domain(context: Context) -> Iterator[Finding]:
    """MESH803."""
    known = {context.mesh.trust_domain: "this mesh's own"}
    for index, other in enumerate(context.mesh.meshes):
        place = f"meshes[{index}].trustDomain"
        if not _TRUST_DOMAIN.fullmatch(other.trust_domain):
            yield error(
                "MESH803",
                place,
                f"{quoted(other.trust_domain)} is no trust domain that istiod accepts; it would ignore all of the mesh "
                "config",
                "write DNS labels, such as mesh2.example.org, without scheme or port",
            )
            continue
        whose = known.setdefault(other.trust_domain, f"meshes[{index}]'s")
        if whose != f"meshes[{index}]'s":
            yield error(
                "MESH803",
                place,
                f"{quoted(other.trust_domain)} is {whose} trust domain too: identities of the two are the same text, "
                "and no policy can tell one mesh's workloads from the other's",
                "one of the two meshes has to take a trust domain of its own (`trustDomain`), and restart its "
                "workloads, before they trust each other",
            )


def hosts(context: Context) -> Iterator[Finding]:
    """MESH808. Ports and accounts belong to one Service, so a wildcard would let in what nobody has described."""
    for index, export in enumerate(context.mesh.exports):
        yield from _service(f"exports[{index}].host", export.host)
        yield from _accounts(f"exports[{index}].accounts", export.accounts)
        yield from _accounts(f"exports[{index}].callers", export.callers)
    for place, wanted in _imports(context):
        yield from _service(f"{place}.host", wanted.host)
        if wanted.called is not None and not _HOST.fullmatch(wanted.called):
            yield error(
                "MESH808",
                f"{place}.called",
                f"{quoted(wanted.called)} is no host name that one service can be called by",
                "write a DNS name in lower case without wildcards, such as helloworld.mesh2.global, or leave it out",
            )


def _service(place: str, host: str) -> Iterator[Finding]:
    full = meshes.full_host(host)
    labels = full.removesuffix(meshes.SERVICE_DOMAIN).split(".")
    if not (_HOST.fullmatch(full) and full.endswith(meshes.SERVICE_DOMAIN) and len(labels) == _NAMESPACE_AND_NAME):
        yield error(
            "MESH808",
            place,
            f"{quoted(host)} is not the name of one Service",
            f"write <service>.<namespace>, such as helloworld.sample, or that with {meshes.SERVICE_DOMAIN} behind it",
        )


def _accounts(place: str, accounts: Iterable[str]) -> Iterator[Finding]:
    for index, account in enumerate(accounts):
        parts = account.split("/")
        if len(parts) != _NAMESPACE_AND_NAME or not all(
            _HOST.fullmatch(part) or DNS_LABEL.fullmatch(part) for part in parts
        ):
            yield error(
                "MESH808",
                f"{place}[{index}]",
                f"{quoted(account)} is no service account",
                "write <namespace>/<account>, such as sample/helloworld",
            )


def one_host(context: Context) -> Iterator[Finding]:
    """MESH809. istiod takes one ServiceEntry for a host and drops what the other says; and a gateway that finds the
    same host in the mesh and in another one hands requests back and forth, or gets a listener that Envoy refuses
    (https://github.com/istio/istio/issues/42050)."""
    known: dict[str, str] = {}
    for index, export in enumerate(context.mesh.exports):
        earlier = known.setdefault(meshes.full_host(export.host), f"exports[{index}]")
        if earlier != f"exports[{index}]":
            yield error(
                "MESH809",
                f"exports[{index}].host",
                f"{quoted(export.host)} is exported by {earlier} already",
                "say it once, with all its ports, accounts and meshes",
            )
    for place, wanted in _imports(context):
        earlier = known.setdefault(meshes.called(wanted), place)
        if earlier != place:
            what = "exported" if earlier.startswith("exports") else "the name of another import"
            yield error(
                "MESH809",
                f"{place}.{'called' if wanted.called else 'host'}",
                f"{quoted(meshes.called(wanted))} is {what} already ({earlier}): one name would be two services, and "
                "whom a request reaches would be chance",
                "give it a name of its own with `called`, such as helloworld.mesh2.global",
            )


def alias(context: Context) -> Iterator[Finding]:
    """MESH810. What it widens (https://istio.io/latest/docs/tasks/security/authorization/authz-td-migration/)."""
    for index, other in enumerate(context.mesh.meshes):
        if other.alias:
            yield warning(
                "MESH810",
                f"meshes[{index}].alias",
                f"every policy here that names an account of ours now lets the account of the same name in "
                f"{quoted(other.trust_domain)} do the same, callers take its workloads for ours, and nothing keeps "
                f"{quoted(other.name)} to what is exported to it: a policy against its trust domain would be one "
                "against ours",
                "leave it out, unless the two are one mesh that is moving from one trust domain to the other",
            )


def multi_root(context: Context) -> Iterator[Finding]:
    """MESH812. Without the two switches the other mesh's roots reach no proxy, and nothing says so
    (`MultiRootMesh` in Istio's pilot/pkg/features and pilot/pkg/xds/pcds.go)."""
    if not context.mesh.meshes:
        return
    if context.mesh.istio.install == "none":
        domains = ", ".join(other.trust_domain for other in context.mesh.meshes)
        yield warning(
            "MESH812",
            "meshes",
            "another tool installs Istio, and only it can tell istiod the roots of other meshes; until then proxies "
            "refuse each other",
            "say there: ISTIO_MULTIROOT_MESH=true in istiod's environment, PROXY_CONFIG_XDS_AGENT=true in "
            "`meshConfig.defaultConfig.proxyMetadata`, and `meshConfig.caCertificates` as the stack output "
            f"`caCertificates` has it (trust domains {domains}); then restart the workloads",
        )
    elif not context.mesh.trust.multi_root:
        yield error(
            "MESH812",
            "trust.multiRoot",
            "istiods and proxies know one root only, so those of other meshes reach no proxy, and nothing says so",
            "set `trust.multiRoot: true`, `up`, and restart the workloads with `mesh restart`: proxies read it when "
            "they start",
        )


def data_plane(context: Context) -> Iterator[Finding]:
    """MESH814. ztunnel takes its roots with its certificates, and none from the mesh config."""
    plane = context.mesh.istio.data_plane
    if not meshes.federated(context.mesh) or plane == "sidecar":
        return
    if plane == "ambient":
        reason = "ztunnel is not told the roots of other meshes, and a cross-mesh gateway leads to sidecars only"
        yield error("MESH814", "istio.dataPlane", reason, "use sidecars for what crosses meshes: `dataPlane: mixed`")
    else:
        reason = (
            "workloads in ambient neither call other meshes nor are called by them: ztunnel is not told their roots"
        )
        fix = "give sidecars to what is exported and to what calls others"
        yield warning("MESH814", "istio.dataPlane", reason, fix)


def clusters(context: Context) -> Iterator[Finding]:
    """MESH815."""
    known = {cluster.name for cluster in context.mesh.clusters}
    for place, wanted in _imports(context):
        for name in wanted.clusters or ():
            if name not in known:
                yield error(
                    "MESH815",
                    f"{place}.clusters",
                    f"there is no cluster {quoted(name)}",
                    "name clusters of this mesh, or leave `clusters` out for all of them",
                )
    for index, cluster in context.clusters():
        if cluster.cross_mesh.enabled and not meshes.holds_config(cluster):
            yield error(
                "MESH815",
                at(index, "crossMesh.enabled"),
                f'"{cluster.name}" holds no configuration of the mesh, so no gateway is made there',
                "enable it in the cluster whose istiod serves this one, or leave it out",
            )


def strangers(context: Context) -> Iterator[Finding]:
    """MESH816."""
    known = {other.name for other in context.mesh.meshes}
    for index, export in enumerate(context.mesh.exports):
        unknown = [name for name in export.meshes if name not in known]
        if unknown:
            yield warning(
                "MESH816",
                f"exports[{index}].meshes",
                f"{', '.join(map(quoted, unknown))} may call {quoted(export.host)} and is not among `meshes`: this "
                "mesh does not know its root, so no call gets through TLS",
                "add it to `meshes` once its administrator has sent you its facts",
            )


def no_names(context: Context) -> Iterator[Finding]:
    """MESH817 (https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/)."""
    istio = context.mesh.istio
    wanted = [meshes.called(item) for _, item in _imports(context)]
    if not wanted or (istio.install == "charts" and istio.mesh_config.dns_capture):
        return
    if istio.install == "none":
        return  # said by MESH812: what the other tool has to set
    yield warning(
        "MESH817",
        "istio.meshConfig.dnsCapture",
        f"sidecars do not answer DNS, and no server knows {', '.join(map(quoted, wanted))}: callers get no address",
        "leave `dnsCapture` on, or make a Service of that name and namespace in each cluster that calls it",
    )


def no_way_in(context: Context) -> Iterator[Finding]:
    """MESH818."""
    if not context.mesh.exports or context.mesh.istio.data_plane == "ambient":
        return
    doors = [(i, c) for i, c in context.clusters() if meshes.needs_cross_mesh_gateway(context.mesh, c)]
    if not doors:
        yield error(
            "MESH818",
            "exports",
            "no cluster has a gateway for other meshes, so nothing that is exported can be reached",
            "leave `crossMesh.enabled` out in at least one cluster that holds configuration",
        )
    for index, cluster in doors:
        door = cluster.cross_mesh
        if door.service_type != "LoadBalancer" and door.address is None:
            yield error(
                "MESH818",
                at(index, "crossMesh.serviceType"),
                f"a Service of type {door.service_type} gets no address, and other meshes are told one",
                "use LoadBalancer, or write `crossMesh.address`, an IP or a DNS name that leads to its port 15443",
            )
        if door.min_replicas > door.max_replicas:
            yield error(
                "MESH818",
                at(index, "crossMesh.minReplicas"),
                f"minReplicas {door.min_replicas} is more than maxReplicas {door.max_replicas}",
                f"set maxReplicas to {door.min_replicas} or more",
            )


def _imports(context: Context) -> Iterator[tuple[str, ImportSettings]]:
    for index, other in enumerate(context.mesh.meshes):
        for number, wanted in enumerate(other.imports):
            yield f"meshes[{index}].imports[{number}]", wanted


RULES = (
    mesh_id,
    trust_domain,
    hosts,
    one_host,
    alias,
    multi_root,
    data_plane,
    clusters,
    strangers,
    no_names,
    no_way_in,
)
