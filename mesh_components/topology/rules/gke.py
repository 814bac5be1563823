"""What Google refuses, and what would keep a mesh apart that is made there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.settings.gke import GkeSettings
from mesh_components.settings.kubeconfig import Kubeconfig
from mesh_components.topology.gke import NAME_LENGTH, gke, gke_name, is_location, vpc_of
from mesh_components.topology.names import WEBHOOK_PORT
from mesh_components.topology.rules.addresses import url
from mesh_components.topology.rules.context import Context, at, clusters_named, error, quoted, warning
from mesh_components.topology.rules.ranges import problem

_NAME = re.compile(rf"[a-z]([-a-z0-9]{{0,{NAME_LENGTH - 2}}}[a-z0-9])?")
"""RFC 1035 as Google has it, as long as a cluster's name may be."""
_PROJECT = re.compile(r"([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]")


def names(context: Context) -> Iterator[Finding]:
    """MESH223 (https://cloud.google.com/kubernetes-engine/docs/reference/rest/v1/projects.locations.clusters)."""
    for index, cluster in context.clusters():
        made = gke(cluster)
        if made is None:
            continue
        stated = {at(index, "create.gke.name" if made.name else "name"): gke_name(cluster)}
        if made.vpc.network is None:
            stated[at(index, "network")] = cluster.network
        stated |= {at(index, f"create.gke.nodePools[{n}].name"): pool.name for n, pool in enumerate(made.node_pools)}
        for place, name in stated.items():
            if not _NAME.fullmatch(name):
                yield error(
                    "MESH223",
                    place,
                    f"{quoted(name)} cannot be a name on Google Cloud, and something there is called so",
                    f"begin with a lower-case letter, then letters, digits and inner dashes, at most {NAME_LENGTH}",
                )
        if not _PROJECT.fullmatch(made.project):
            yield error(
                "MESH223",
                at(index, "create.gke.project"),
                f"{quoted(made.project)} is no ID of a project",
                "write the ID, not the name or the number: `gcloud projects list` has it as PROJECT_ID",
            )
        if not is_location(made.location):
            yield error(
                "MESH223",
                at(index, "create.gke.location"),
                f"{quoted(made.location)} is neither a region nor a zone",
                "write one, such as europe-west3 or europe-west3-a",
            )


def twice(context: Context) -> Iterator[Finding]:
    """MESH223, the same name for two. Firewall rules and network tags are called after the cluster, in all regions."""
    first: dict[tuple[str, str], int] = {}
    for index, cluster in context.clusters():
        made = gke(cluster)
        earlier = first.setdefault((made.project, gke_name(cluster)), index) if made else index
        if earlier != index:
            yield error(
                "MESH223",
                at(index, "create.gke.name"),
                f"{quoted(gke_name(cluster))} is what clusters[{earlier}] is called in this project too",
                "give one of them another name",
            )


def one_vpc(context: Context) -> Iterator[Finding]:
    """MESH227. A network of the mesh is a VPC; across projects it is a Shared VPC, which is there already."""
    first: dict[str, int] = {}
    by_vpc: dict[str, int] = {}
    for index, cluster in context.clusters():
        made = gke(cluster)
        if made is None:
            continue
        earlier = first.setdefault(cluster.network, index)
        other = gke(context.mesh.clusters[earlier])
        if other is not None and not _share(made, other):
            yield error(
                "MESH227",
                at(index, "create.gke.vpc.network" if made.vpc.network or other.vpc.network else "create.gke.project"),
                f'"{cluster.name}" and "{context.mesh.clusters[earlier].name}" are in one network of the mesh and '
                "would be in different VPCs, so their pods would not reach each other",
                "write one existing VPC at both (a Shared VPC where the projects differ), or different `network`s",
            )
        before = by_vpc.setdefault(vpc_of(cluster), index)
        if made.vpc.network and context.mesh.clusters[before].network != cluster.network:
            yield warning(
                "MESH227",
                at(index, "network"),
                f'"{cluster.name}" is in the same VPC as "{context.mesh.clusters[before].name}", and in another '
                "network of the mesh: requests take the way through gateways that pods could go directly",
                "give both the same `network`; or go on where a firewall keeps their pods apart",
            )


def closed(context: Context) -> Iterator[Finding]:
    """MESH228 (istio#57525)."""
    for index, cluster in context.clusters():
        made = gke(cluster)
        if made is None or cluster.peer_kubeconfig is not None:
            continue
        readers = context.readers(index)
        away = tuple(reader for reader in readers if made.private_endpoint and vpc_of(reader) != vpc_of(cluster))
        if away:
            yield warning(
                "MESH228",
                at(index, "create.gke.privateEndpoint"),
                f"the API server has no public address, and the istiod of {clusters_named(away)} asks from another VPC",
                "leave it out; or go on if a peering or VPN leads there, and write `apiServer.address`",
            )
            continue
        strangers = tuple(reader for reader in readers if _stands_outside(made, reader))
        if strangers:
            yield warning(
                "MESH228",
                at(index, "create.gke.authorizedNetworks"),
                f"where the istiod of {clusters_named(strangers)} comes from is not known here, and nobody else is let "
                "in; it would never learn this cluster's endpoints",
                f"add an entry named {quoted(strangers[0].name)} with the address that its pods have outside",
            )


def node_pools(context: Context) -> Iterator[Finding]:
    """MESH229."""
    for index, cluster in context.clusters():
        made = gke(cluster)
        if made is None:
            continue
        place = at(index, "create.gke.nodePools")
        if not made.node_pools:
            yield error("MESH229", place, "the cluster would have no nodes, and nothing could run", "name a pool")
        names = [pool.name for pool in made.node_pools]
        for n, pool in enumerate(made.node_pools):
            if pool.min_nodes > pool.max_nodes:
                yield error(
                    "MESH229",
                    f"{place}[{n}].minNodes",
                    f"minNodes {pool.min_nodes} is more than maxNodes {pool.max_nodes}",
                    f"set maxNodes to {pool.min_nodes} or more",
                )
            if pool.name in names[:n]:
                yield error("MESH229", f"{place}[{n}].name", "another pool is called so", "give it another name")


def existing(context: Context) -> Iterator[Finding]:
    """MESH234."""
    for index, cluster in context.clusters():
        made = gke(cluster)
        if made is None:
            continue
        needs = {
            "network": made.vpc.network,
            "podRangeName": made.vpc.pod_range_name,
            "serviceRangeName": made.vpc.service_range_name,
        }
        missing = [key for key, value in needs.items() if value is None]
        if made.vpc.subnetwork is not None and missing:
            yield error(
                "MESH234",
                at(index, "create.gke.vpc.subnetwork"),
                f"an existing subnet needs {', '.join(f'`{key}`' for key in missing)} too: which VPC it is in, and "
                "which of its secondary ranges are for what",
                "write them; `gcloud compute networks subnets describe` has them",
            )
        elif made.vpc.subnetwork is None and (made.vpc.pod_range_name or made.vpc.service_range_name):
            yield error(
                "MESH234",
                at(index, "create.gke.vpc"),
                "names of secondary ranges are written, and no existing subnet that has them",
                "write `subnetwork`, or take the names out: a subnet that is made here has ranges of its own",
            )


def webhook(context: Context) -> Iterator[Finding]:
    """MESH235 (istio#19532). Where the API server has a private address, nodes have none but private ones, and the only
    way from it to them is what firewall rules open."""
    for index, cluster in context.clusters():
        kubeconfig = context.kubeconfigs.get(index)
        if cluster.platform != "gke" or cluster.create is not None or not isinstance(kubeconfig, Kubeconfig):
            continue
        found = url(kubeconfig.server)
        if not isinstance(found, str) and found.private:
            yield warning(
                "MESH235",
                at(index, "kubeconfig"),
                "the cluster is private, and GKE's own firewall rule opens its nodes' ports 443 and 10250 to the "
                f"control plane and no others; istiod's webhook is called on {WEBHOOK_PORT}, and as long as that is "
                "closed no pod gets a sidecar",
                f"add a rule as docs/clusters.md has it, from the control plane's range to tcp:{WEBHOOK_PORT} of the "
                "nodes; or go on where there is one",
            )


def _share(one: GkeSettings, other: GkeSettings) -> bool:
    if one.vpc.network or other.vpc.network:
        return one.vpc.network == other.vpc.network
    return one.project == other.project


def _stands_outside(made: GkeSettings, reader: ClusterSettings) -> bool:
    """Whether the list lets others in, and not this reader: peers that are made here with a NAT of ours are added."""
    if not made.authorized_networks or any(item.name == reader.name for item in made.authorized_networks):
        return False
    everyone = any(not problem(i.cidr) and ip_network(i.cidr).prefixlen == 0 for i in made.authorized_networks)
    other = gke(reader)
    return not everyone and (other is None or other.vpc.network is not None)


RULES = (names, twice, one_vpc, closed, node_pools, existing, webhook)
