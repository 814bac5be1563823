"""What a reviewer must know before agreeing, in words. Each rule is a function of both sides and the rows between."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mesh_components.topology.revisions import revisions
from mesh_components.topology.waypoints import waypoints
from meshctl.review.change import Change, Risk
from meshctl.review.side import Side
from meshctl.rows import Row

Rule = Callable[[Change], Iterator[Risk]]


def risks(before: Side, after: Side, rows: tuple[Row, ...]) -> Iterator[Risk]:
    """All risks, the high ones first."""
    if before.mesh is None or after.mesh is None or before.foreseen is None:
        return
    held = frozenset(urn for urn, item in before.foreseen.resources.items() if item.goal.options.protect)
    change = Change(before.mesh, after.mesh, rows, held)
    found = [risk for rule in RULES for risk in rule(change)]
    yield from (risk for risk in found if risk.level == "high")
    yield from (risk for risk in found if risk.level != "high")


def replaced_root(change: Change) -> Iterator[Risk]:
    """Another root is another mesh to every proxy, unless both are trusted for a while."""
    old, new = change.before.trust, change.after.trust
    roots = change.touched("replace", kind=":SelfSignedCert")
    if (roots or old.source != new.source) and new.rotation is None and old.rotation is None:
        yield Risk(
            "high",
            "replaces the root: see rotation",
            "proxies with a certificate of the old root refuse those of the new one until all have been restarted; "
            "`mesh rotate plan root` does it in steps in which both are trusted",
            "docs/rotation.md",
        )
    elif old.rotation != new.rotation or old.root_serial != new.root_serial:
        yield Risk(
            "medium",
            "goes on in a rotation of the root",
            "a phase may only follow the one before it, once that has reached every cluster",
            "docs/rotation.md",
        )


def protected(change: Change) -> Iterator[Risk]:
    """`up` refuses it, after the review has let it through."""
    names = sorted(row.name for row in change.touched("delete", "replace") if row.urn in change.protected)
    if names:
        yield Risk(
            "high",
            f"deletes or replaces what is protected: {_listed(names)}",
            "`up` refuses it as long as the state says that it is protected; `trust.protectRoot: false`, applied "
            "first, lets it go",
            "docs/trust.md",
        )


def new_intermediates(change: Change) -> Iterator[Risk]:
    """Under the same root they are safe, and worth one look."""
    if change.touched("replace", kind=":SelfSignedCert"):
        return
    names = sorted(row.name for row in change.touched("replace", kind=":LocallySignedCert"))
    if names:
        yield Risk(
            "medium",
            f"signs anew under the same root: {_listed(names)}",
            "istiod takes the new certificate up without a restart; workloads get theirs as the old ones end",
            "docs/rotation.md",
        )


def identities(change: Change) -> Iterator[Risk]:
    """What every certificate and policy is written in."""
    if change.before.trust_domain != change.after.trust_domain:
        yield Risk(
            "high",
            f"changes the trust domain from {change.before.trust_domain} to {change.after.trust_domain}",
            "every identity has another name: policies that name the old one match nothing, and proxies that were not "
            "restarted are refused",
            "docs/settings.md",
        )
    if change.before.id != change.after.id:
        yield Risk(
            "high",
            f"changes the mesh ID from {change.before.id} to {change.after.id}",
            "proxies keep the old one until they are restarted, and telemetry tells the two apart",
            "docs/settings.md",
        )


def clusters_that_leave(change: Change) -> Iterator[Risk]:
    """Their control plane goes, and what runs there stays."""
    left = {cluster.name for cluster in change.before.clusters} - {cluster.name for cluster in change.after.clusters}
    for name in sorted(left):
        yield Risk(
            "high",
            f"takes {name} out of the mesh",
            "all that the mesh has made there is deleted, its peers forget its endpoints, and its workloads keep "
            "proxies that nobody serves",
            "docs/clusters.md",
        )


def moved_clusters(change: Change) -> Iterator[Risk]:
    """What decides whether pods are called directly, and by whom they are served."""
    for old, new in change.both():
        if old.network != new.network:
            yield Risk(
                "high",
                f"moves {new.name} from {old.network} to {new.network}",
                "peers take the other way at once, directly or through gateways; running proxies keep the old network "
                "until they are restarted",
                "docs/recipes/index.md",
            )
        if old.role != new.role or old.control_plane != new.control_plane:
            yield Risk(
                "high",
                f"{new.name} is served by another control plane"
                + (f": from {old.role} to {new.role}" if old.role != new.role else ""),
                "its proxies must be restarted to follow, and its injection webhook changes at once",
                "docs/upgrades.md",
            )
    for cluster in sorted({row.cluster for row in change.rows if _moved(row)}):
        yield Risk(
            "high",
            f"{cluster} is another cluster than before",
            "all objects are made anew there; those in the old one are deleted, which needs its credentials",
            "docs/clusters.md",
        )


def versions(change: Change) -> Iterator[Risk]:
    """Istio in place, or a revision that goes while proxies may still use it."""
    if "none" in (change.before.istio.install, change.after.istio.install):
        if change.before.istio.install != change.after.istio.install:
            yield Risk(
                "high",
                f"changes who installs Istio: from {change.before.istio.install} to {change.after.istio.install}",
                "a control plane that is there already is not taken over, and one that goes takes injection along",
                "docs/settings.md",
            )
        return
    upgraded: dict[tuple[str, str, str], list[str]] = {}
    taken: dict[str, list[str]] = {}
    for _, cluster in change.both():
        olds = {item.name: item.version for item in revisions(change.before, cluster.name)}
        news = {item.name: item.version for item in revisions(change.after, cluster.name)}
        for name, version in olds.items():
            if name not in news:
                taken.setdefault(name, []).append(cluster.name)
            elif news[name] != version:
                upgraded.setdefault((name, version, news[name]), []).append(cluster.name)
    for (name, old, new), where in sorted(upgraded.items()):
        yield Risk(
            "high",
            f"upgrades {_revision(name)} in place, from {old} to {new}, in {_listed(where)}",
            "all its proxies follow at once, and back is another upgrade; `mesh upgrade plan` does it with a second "
            "revision",
            "docs/upgrades.md",
        )
    for name, where in sorted(taken.items()):
        yield Risk(
            "high",
            f"takes {_revision(name)} away, in {_listed(where)}",
            "workloads that still run its proxies are no longer served; `mesh restart --dry-run` lists them",
            "docs/upgrades.md",
        )


def data_plane(change: Change) -> Iterator[Risk]:
    """Sidecars and ambient are different ways of the same requests."""
    old, new = change.before.istio.data_plane, change.after.istio.data_plane
    if old != new:
        yield Risk(
            "high",
            f"changes the data plane from {old} to {new}",
            "workloads move by restart or by label, one namespace after the other; policies at layer 7 need waypoints",
            "docs/recipes/mixed-data-planes.md",
        )


def lost_waypoints(change: Change) -> Iterator[Risk]:
    """Policies about requests hold in a waypoint, and nowhere else. One with another name is another one to them."""
    stay = {cluster.name for cluster in change.before.clusters} & {cluster.name for cluster in change.after.clusters}
    before, after = (
        {(c.name, item.namespace, item.name) for c in mesh.clusters if c.name in stay for item in waypoints(mesh, c)}
        for mesh in (change.before, change.after)
    )
    namespaces = sorted({namespace for _, namespace, _ in before - after})
    if namespaces:
        yield Risk(
            "high",
            f"takes the waypoint of {_listed(namespaces)} away",
            "policies that are attached to it hold nowhere, and no rule leads the requests that came through it",
            "docs/waypoints.md",
        )


def doors(change: Change) -> Iterator[Risk]:
    """Addresses that others call."""
    there = {cluster.name for cluster in change.after.clusters}
    for op in ("delete", "replace"):
        lost = change.touched(op, kind="/v1:Service", type_="kubernetes:core")
        names = sorted(row.name for row in lost if row.cluster in there)
        if names:
            yield Risk(
                "high",
                f"{op}s {_listed(names)}, and the addresses with it",
                "peers call an old one until they have the new one; names in DNS that point there go nowhere",
                "docs/recipes/index.md",
            )
    opened = [
        row
        for row in change.touched("create", kind="/v1:Service", type_="kubernetes:core")
        if any(item.path == "spec.type" and item.new == "LoadBalancer" for item in row.fields)
        and row.cluster in {cluster.name for cluster in change.before.clusters}
    ]
    for row in opened:
        yield Risk(
            "medium",
            f"{row.cluster}: opens a load balancer, {row.name}",
            "it may get a public address; `eastWest.loadBalancerSourceRanges` says who may call it",
            "docs/security.md",
        )


def credentials(change: Change) -> Iterator[Risk]:
    """Who reads whom."""
    there = {cluster.name for cluster in change.after.clusters}
    gone = change.touched("delete", kind="/v1:Secret")
    names = sorted(row.name for row in gone if "-to-" in row.name and row.cluster in there)
    if names:
        yield Risk(
            "medium",
            f"takes away {_listed(names)}",
            "the istiod that read with it forgets the services and endpoints of that cluster",
            "docs/discovery.md",
        )


def crds(change: Change) -> Iterator[Risk]:
    """With a definition go all objects of its kind."""
    if not change.after.istio.keep_crds:
        gone = change.touched("delete", kind=":CustomResourceDefinition")
        if gone:
            yield Risk(
                "high",
                f"deletes {len(gone)} CRDs",
                "and with them every object of these kinds, also those that others have made",
                "docs/settings.md",
            )


RULES: tuple[Rule, ...] = (
    replaced_root,
    protected,
    identities,
    clusters_that_leave,
    moved_clusters,
    versions,
    data_plane,
    lost_waypoints,
    doors,
    crds,
    new_intermediates,
    credentials,
)


def _moved(row: Row) -> bool:
    return any(item.note == "its cluster is another one" for item in row.fields)


def _revision(name: str) -> str:
    return f"the revision {name}" if name else "the control plane"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
