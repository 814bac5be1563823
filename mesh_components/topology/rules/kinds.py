"""How there comes to be a cluster: attached, made here, or taken from another stack; and what each kind needs."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import Finding
from mesh_components.settings.gateway import EastWestSettings
from mesh_components.topology.addresses import takes_from_pool
from mesh_components.topology.load_balancers import ANNOTATIONS
from mesh_components.topology.names import is_ip
from mesh_components.topology.roles import kinds_of
from mesh_components.topology.rules.addresses import url
from mesh_components.topology.rules.context import Context, at, error, quoted, warning

_WITHOUT_SLOT = {
    ("gke",): "all its ranges are written",
    ("ibm",): "IBM chooses those that are not written, and refuses most of such a pool",
    (): "it is not made here, and has the ranges it has",
}


def one_kind(context: Context) -> Iterator[Finding]:
    """MESH220."""
    for index, cluster in context.clusters():
        kinds = kinds_of(cluster)
        if len(kinds) > 1:
            yield error(
                "MESH220",
                at(index, kinds[1]),
                f'"{cluster.name}" has both {" and ".join(f"`{kind}`" for kind in kinds)}; they may be of different '
                "clusters, and only one of them can be this one",
                "keep one of them; the kubeconfig of a cluster that is made here comes from the cluster itself",
            )
        if cluster.create is not None and len(cluster.create.stated) != 1:
            said = " and ".join(f"`{kind}`" for kind in cluster.create.stated)
            yield error(
                "MESH220",
                at(index, "create"),
                f"it says {said}, and a cluster is made once" if said else "it does not say what is to be made",
                "write one of `gke: {...}` and `ibm: {...}` below it",
            )
        if cluster.k3s is not None and cluster.kubeconfig is None:
            yield error(
                "MESH220",
                at(index, "k3s"),
                "it says where a cluster of k3s is, and nothing says with which credentials it is reached",
                "add `kubeconfig`: what k3s writes to /etc/rancher/k3s/k3s.yaml",
            )


def platform(context: Context) -> Iterator[Finding]:
    """MESH221."""
    for index, cluster in context.clusters():
        made = cluster.create.stated if cluster.create else ()
        wanted = made[0] if made else "k3s" if cluster.k3s else None
        if wanted is not None and cluster.platform != wanted:
            how = f"create.{wanted}" if made else wanted
            yield error(
                "MESH221",
                at(index, "platform"),
                f"`{how}` says that the cluster is of {wanted}, and this says {cluster.platform}; Istio's charts and "
                "the load balancer would be set up for another platform than there is",
                "leave `platform` out",
            )


def cloud(context: Context) -> Iterator[Finding]:
    """MESH240."""
    for index, cluster in context.clusters():
        known = {"gke": ("gke",), "eks": ("eks",), "aks": ("aks",), "ibm": ("ibm", "ibm-classic")}.get(cluster.platform)
        made_here = cluster.create is not None and cluster.cloud == "ibm-classic"
        if cluster.cloud is not None and known is not None and (cluster.cloud not in known or made_here):
            where = (
                "a cluster that is made here is on VPC Gen 2" if made_here else f"`platform` says {cluster.platform}"
            )
            yield error(
                "MESH240",
                at(index, "cloud"),
                f"it says {cluster.cloud}, and {where}; the gateway's Service would carry annotations that nobody "
                "there reads",
                "take `cloud` out; it is for OpenShift, and for IBM Cloud Classic",
            )


def unused_slot(context: Context) -> Iterator[Finding]:
    """MESH222."""
    for index, cluster in context.clusters():
        if cluster.slot is not None and not takes_from_pool(cluster):
            what = _WITHOUT_SLOT[cluster.create.stated[:1] if cluster.create else ()]
            yield warning(
                "MESH222",
                at(index, "slot"),
                f'nobody reads this: "{cluster.name}" takes no range from the pool, since {what}',
                "take it out; write `podRanges` and `serviceRanges` of a cluster that exists, so that they are checked",
            )


def load_balancer(context: Context) -> Iterator[Finding]:
    """MESH231."""
    for door, cluster, stated in context.doors():
        if stated.load_balancer is None:
            continue
        place = f"{door}.loadBalancer"
        balanced_by = cluster.cloud or cluster.platform
        known = ANNOTATIONS.get(balanced_by, {})
        if stated.service_type != "LoadBalancer":
            yield error(
                "MESH231",
                place,
                f"it asks for a load balancer, and the gateway's Service is of type {stated.service_type}",
                "take one of the two out",
            )
        elif stated.load_balancer not in known:
            has = f"only {' and '.join(known)}" if known else "none"
            yield error(
                "MESH231",
                place,
                f'what a Service has to say for a {stated.load_balancer} load balancer on "{balanced_by}" is not '
                f"known here ({has})",
                "name the cloud below as `cloud`; or leave it out, and write its annotations as `annotations`",
            )


def external_ips(context: Context) -> Iterator[Finding]:
    """MESH232 (https://kubernetes.io/docs/concepts/services-networking/service/#external-ips)."""
    default = EastWestSettings()
    for door, _, stated in context.doors():
        for position, text in enumerate(stated.external_ips):
            if not is_ip(text):
                reason = f"{quoted(text)} is no IP; the API server refuses such a Service"
                yield error("MESH232", f"{door}.externalIps[{position}]", reason, "write an IP")
        if stated.external_ips and stated.service_type == default.service_type:
            yield error(
                "MESH232",
                f"{door}.serviceType",
                "the Service has external IPs because there is no load balancer, and being of type LoadBalancer it "
                "waits for one",
                "write `serviceType: ClusterIP`",
            )


def k3s_server(context: Context) -> Iterator[Finding]:
    """MESH233."""
    for index, cluster in context.clusters():
        if cluster.k3s is None:
            continue
        found = url(cluster.k3s.server)
        if isinstance(found, str) or found.own_machine:
            wrong = found if isinstance(found, str) else "means the machine of whoever asks"
            yield error(
                "MESH233",
                at(index, "k3s.server"),
                f"the address {wrong}, and everybody comes to the cluster by it",
                "write it as https://host:6443, with an address of the server in your network that `--tls-san` names",
            )


RULES = (one_kind, platform, cloud, unused_slot, load_balancer, external_ips, k3s_server)
