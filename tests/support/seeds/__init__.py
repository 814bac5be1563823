"""The faults that `mesh check` has to name: what they are called, which check names them, where, and what helps."""

from __future__ import annotations

from tests.support.faults import EDGE, Fault
from tests.support.seeds import certificates, charts, control_planes, credentials, doors, servers

FAULTS = (
    Fault("no kubeconfig", "CHECK101", servers.no_kubeconfig, ("clusters[1].kubeconfig",), fix="make the kubeconfig"),
    Fault("a stopped API server", "CHECK201", servers.stopped_server, fix="see that it runs"),
    Fault(
        "the wrong CA in our kubeconfig",
        "CHECK202",
        servers.wrong_authority,
        fix="fetch the cluster's",
    ),
    Fault("our credentials are refused", "CHECK203", servers.refused, fix="fetch the cluster's"),
    Fault("a user without rights", "CHECK205", servers.no_rights, severity="warning", fix="a kubeconfig that may read"),
    Fault("nobody at the peers' address", "CHECK207", credentials.nobody_at_the_address, (EDGE,)),
    Fault("the wrong CA for peers", "CHECK208", credentials.wrong_authority_for_peers, (EDGE,)),
    Fault("another version", "CHECK302", control_planes.another_version, severity="warning", fix="install istiod"),
    Fault("version skew", "CHECK303", control_planes.skewed, fix="one minor at a time"),
    Fault("istiod is not ready", "CHECK305", control_planes.waiting_istiod, fix="describe pods"),
    Fault("a deleted namespace", "CHECK306", control_planes.no_namespace),
    Fault("another network on the namespace", "CHECK307", control_planes.other_network),
    Fault("another network of istiod", "CHECK308", control_planes.another_network_of_istiod, fix="install istiod"),
    Fault("another mesh ID", "CHECK309", control_planes.another_mesh_id, fix="install istiod"),
    Fault("another cluster ID", "CHECK310", control_planes.another_cluster_id, fix="install istiod"),
    Fault("another trust domain", "CHECK311", control_planes.another_trust_domain, fix="install istiod"),
    Fault("no cacerts", "CHECK401", certificates.no_cacerts),
    Fault("a part of cacerts", "CHECK402", certificates.incomplete),
    Fault("an expired intermediate", "CHECK403", certificates.expired),
    Fault("a certificate of tomorrow", "CHECK404", certificates.not_yet_valid),
    Fault("a key that does not match", "CHECK405", certificates.wrong_key),
    Fault("a chain that ends elsewhere", "CHECK406", certificates.no_way_to_the_root),
    Fault("the wrong root in one cluster", "CHECK407", certificates.wrong_root),
    Fault("a certificate that is no CA", "CHECK408", certificates.no_authority),
    Fault("an intermediate that ends soon", "CHECK410", certificates.ends_soon, severity="warning", fix="mesh rotate"),
    Fault("stale roots of workloads", "CHECK411", certificates.stale_roots, fix="delete the ConfigMap"),
    Fault("another intermediate", "CHECK412", certificates.replaced),
    Fault("no remote secret", "CHECK501", credentials.no_remote_secret, (EDGE,)),
    Fault("no label", "CHECK502", credentials.no_label, (EDGE,)),
    Fault("the wrong key in a secret", "CHECK503", credentials.wrong_name_in_secret, (EDGE,)),
    Fault("a program in a kubeconfig", "CHECK504", credentials.with_program, (EDGE,)),
    Fault("a token that has ended", "CHECK505", credentials.ended_token, (EDGE,)),
    Fault("a revoked token", "CHECK506", credentials.revoked_token, (EDGE,)),
    Fault("a token of the wrong cluster", "CHECK507", credentials.token_of_another, (EDGE,)),
    Fault("a kubeconfig of the wrong cluster", "CHECK507", credentials.kubeconfig_of_another, (EDGE,)),
    Fault("a deleted reader role", "CHECK508", credentials.no_reader_role),
    Fault("a token that ends soon", "CHECK509", credentials.token_that_ends_soon, (EDGE,), "warning"),
    Fault("announced twice", "CHECK510", credentials.announced_twice, ("cluster1",), "warning", "delete the one"),
    Fault("a stranger", "CHECK511", credentials.stranger, ("cluster1",), "warning", "delete the Secret"),
    Fault("no gateway", "CHECK601", doors.no_gateway),
    Fault("the wrong type of Service", "CHECK602", doors.wrong_type),
    Fault("a gateway without address", "CHECK603", doors.no_address, fix="keeps the load balancer"),
    Fault("a closed port", "CHECK604", doors.closed_port, fix="open the port"),
    Fault("a port too few", "CHECK605", doors.lacking_port),
    Fault("no proxies", "CHECK606", doors.no_proxies, fix="scale deployment"),
    Fault("no Gateway resource", "CHECK607", doors.no_opening),
    Fault("other hosts", "CHECK608", doors.other_hosts),
    Fault("a gateway of another network", "CHECK609", doors.gateway_of_another_network),
    Fault("a webhook without CA bundle", "CHECK702", control_planes.no_bundle, fix="restart istiod"),
    Fault("a webhook with another root", "CHECK703", control_planes.another_bundle, fix="restart istiod"),
    Fault("a deleted autoscaler", "CHECK901", doors.no_autoscaler),
    Fault("a changed autoscaler", "CHECK902", doors.scaled_by_hand, severity="warning"),
)
"""In the order of the catalogue."""

CHART_FAULTS = (
    Fault("another version of the chart's istiod", "CHECK302", charts.another_version, severity="warning"),
    Fault("the chart's istiod is gone", "CHECK304", charts.no_istiod),
    Fault("no injector", "CHECK701", charts.no_injector),
    Fault("no webhook of a tag", "CHECK701", charts.no_tag),
    Fault("an injector without CA bundle", "CHECK702", charts.no_bundle),
    Fault("an injector with another root", "CHECK703", charts.another_bundle),
    Fault("a tag of another revision", "CHECK704", charts.another_revision),
    Fault("another network for proxies", "CHECK308", charts.another_network),
)
"""Of control planes that this program installs: `mesh up` puts them right."""
