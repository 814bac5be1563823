"""The way to istiod: gateways through which remotes and config clusters reach the control plane that serves them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mesh_components.settings import ClusterSettings, Finding
from mesh_components.settings.gateway import EastWestSettings
from mesh_components.topology.names import is_ip
from mesh_components.topology.plan import address_type, networks
from mesh_components.topology.revisions import revisions
from mesh_components.topology.roles import config_holder, served_by
from mesh_components.topology.rules.context import Context, at, clusters_named, error, quoted, warning

_LABEL = r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)+{_LABEL}\.?", re.ASCII)


def is_host_name(text: str) -> bool:
    """Whether it is a DNS name with at least one dot (RFC 1123), and no failed attempt at an IP."""
    return bool(_HOST_NAME.fullmatch(text)) and not text.rstrip(".").rpartition(".")[2].isdecimal()


def address(context: Context) -> Iterator[Finding]:
    """MESH210."""
    for door, _, gateway in context.doors():
        stated = gateway.address
        wanted = gateway.address_type if isinstance(gateway, EastWestSettings) else None
        if stated is None:
            continue
        ip = is_ip(stated)
        if not ip and not is_host_name(stated):
            yield error(
                "MESH210",
                f"{door}.address",
                f"{quoted(stated)} is neither an IP nor a DNS name, and it becomes both the address that others "
                "connect to and the name in a certificate",
                "write it without scheme and port, such as 203.0.113.10 or istiod.example.com",
            )
        elif wanted is not None and ip != (wanted == "ip"):
            what = "an IP" if ip else "a host name"
            yield error(
                "MESH210",
                f"{door}.addressType",
                f"it says {wanted}, and `address` is {what}; a Service for an IP cannot hold a name, nor the "
                "other way round",
                "leave `addressType` out where `address` is stated",
            )


def host_name(context: Context) -> Iterator[Finding]:
    """MESH410 (istio#45014). API servers do not call webhooks through a Service of type ExternalName, so the webhook
    goes by URL, and the name in it must stand in istiod's certificate, which is made before the load balancer is."""
    for index, cluster in context.clusters():
        behind = _remotes(context, cluster)
        if not behind or cluster.east_west.address is not None or address_type(cluster) != "hostname":
            continue
        why = "as `addressType` says" if cluster.east_west.address_type else f"as is usual on {cluster.platform}"
        yield error(
            "MESH410",
            at(index, "eastWest.address"),
            f'the load balancer of "{cluster.name}" gets a host name, {why}; the API servers of '
            f"{clusters_named(behind)} then call istiod's webhook by URL, and istiod's certificate must carry that "
            "name before the load balancer has it",
            "write a DNS name of your own that points to the load balancer; or, where the load balancer gets an IP "
            "(an NLB with Elastic IPs on AWS, a VPC NLB on IBM Cloud), `addressType: ip`",
        )


def one_webhook(context: Context) -> Iterator[Finding]:
    """MESH424. A host name leads to one istiod; in-cluster names, which webhooks by Service have, to each."""
    for _, cluster in context.clusters():
        behind = _remotes(context, cluster)
        names = {revision.name for remote in behind for revision in revisions(context.mesh, remote.name)}
        if address_type(cluster) == "hostname" and len(names) > 1:
            default = context.mesh.istio.revision
            yield warning(
                "MESH424",
                "istio.revisions",
                f'{clusters_named(behind)} call the webhook of "{cluster.name}" by its host name, which leads to one '
                f"istiod: whatever revision a namespace names, its pods are injected by "
                f"{quoted(default) if default else 'the revision without a name'}, the default",
                "go on if the remotes may change all at once, when the default does; or give the gateway an IP",
            )


def not_exposed(context: Context) -> Iterator[Finding]:
    """MESH415."""
    for index, cluster in context.clusters():
        dependents = served_by(context.mesh, cluster)
        enabled, kind = cluster.east_west.enabled, cluster.east_west.service_type
        if not dependents and cluster.role != "config":
            continue
        # A config cluster holds the Gateway that opens the gateways of all its remotes to other networks.
        if cluster.role == "config" and len(networks(context.mesh)) == 1:
            continue
        whom = clusters_named(dependents) or "the remotes"
        if enabled is False:
            what = "istiod" if dependents else "the configuration of their gateways"
            yield error(
                "MESH415",
                at(index, "eastWest.enabled"),
                f'{whom} depend on "{cluster.name}" for {what}, and without its gateway they do not get it',
                "leave `eastWest.enabled` out, or set it to true",
            )
        elif (
            dependents and kind != "LoadBalancer" and not (cluster.east_west.address or cluster.east_west.external_ips)
        ):
            yield error(
                "MESH415",
                at(index, "eastWest.serviceType"),
                f"{whom} reach istiod at the gateway's address, and a Service of type {kind} gets none from a load "
                "balancer",
                "use LoadBalancer, or write `eastWest.address`: an IP or a DNS name that leads to the gateway's ports "
                "15012 and 15017",
            )


def credential(context: Context) -> Iterator[Finding]:
    """MESH423 (https://istio.io/latest/docs/setup/install/external-controlplane/)."""
    for index, cluster in context.clusters():
        gateway = cluster.east_west
        if gateway.credential is None:
            continue
        if cluster.role != "external":
            yield error(
                "MESH423",
                at(index, "eastWest.credential"),
                f'"{cluster.name}" is no external control plane; its gateway passes TLS on to istiod and to proxies '
                "as it comes, and shows no certificate of its own",
                "take it out",
            )
        elif gateway.address is None or is_ip(gateway.address):
            yield error(
                "MESH423",
                at(index, "eastWest.credential"),
                "a public certificate is for a DNS name, and the document does not say by which name the others reach "
                "the gateway",
                "write that name as `eastWest.address`; or leave `credential` out, then the mesh's root signs one",
            )


def hosts_elsewhere(context: Context) -> Iterator[Finding]:
    """MESH425. The Gateway `cross-network-gateway` is where the configuration is, and selects the gateways of all
    clusters that read it."""
    default = EastWestSettings().hosts
    for index, cluster in context.clusters():
        stated = cluster.east_west.hosts
        if cluster.role in ("primary", "config") or stated == default:
            continue
        holder = config_holder(context.mesh, cluster)
        if holder is None or stated == holder.east_west.hosts:
            continue
        yield error(
            "MESH425",
            at(index, "eastWest.hosts"),
            f'nobody reads this: what other networks reach through the gateway of "{cluster.name}" is part of the '
            f'configuration in "{holder.name}", which lets in {", ".join(map(quoted, holder.east_west.hosts))}',
            f'say it at "{holder.name}", for all clusters that read its configuration, and take it out here',
        )


def _remotes(context: Context, cluster: ClusterSettings) -> tuple[ClusterSettings, ...]:
    """The remotes of a primary whose webhook is set up here."""
    if cluster.role != "primary" or context.mesh.istio.install == "none":
        return ()
    return served_by(context.mesh, cluster)


RULES = (address, host_name, one_webhook, not_exposed, credential, hosts_elsewhere)
