"""All the rules about a mesh document, run at once, before the first resource is made.

Rules read the document and the kubeconfigs it names, never a cluster: a preview needs no network. Each has a page in
docs/findings, whose examples are run as tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from mesh_components.settings import Finding, FindingsError, MeshSettings, Severity
from mesh_components.topology.material import Texts
from mesh_components.topology.rules import RULES, Context, Facts, HoldsChart, Kubeconfigs

CATALOGUE: Mapping[str, str] = {
    "MESH001": "A key is unknown, missing or of the wrong type",
    "MESH002": "There is no mesh document",
    "MESH003": "A secret stands in the document",
    "MESH101": "The cluster name is no DNS-1123 label",
    "MESH102": "Two clusters have the same name",
    "MESH103": "The network name cannot be a label value",
    "MESH104": "The name of a revision or a tag cannot be used",
    "MESH105": "The mesh ID or the trust domain cannot be used",
    "MESH106": "The mesh has fewer than two clusters",
    "MESH107": "The root namespace's name is no DNS-1123 label",
    "MESH108": "A cluster-local host is no name of services",
    "MESH109": "Two parts of the mesh have one name",
    "MESH201": "Address ranges of two clusters of one network overlap",
    "MESH202": "Address ranges of one cluster overlap",
    "MESH203": "A range is no CIDR",
    "MESH204": "The API server's address is loopback for its readers",
    "MESH205": "The API server's address is private to another network",
    "MESH206": "The API server's address is no https URL",
    "MESH207": "A network has no east-west gateway of its own",
    "MESH208": "Peers cannot find the east-west gateway",
    "MESH209": "The autoscaler's minimum is above its maximum",
    "MESH210": "The gateway's address is no address of its type",
    "MESH211": "meshNetworks names a network or a cluster that is not there",
    "MESH212": "An entry of meshNetworks has none or both of its keys",
    "MESH213": "An API server's address is for a cluster that does not ask",
    "MESH220": "A cluster has several kinds, or an incomplete one",
    "MESH221": "The platform is another one than the cluster's",
    "MESH222": "A slot is written for a cluster that takes none",
    "MESH223": "Google Cloud refuses a name",
    "MESH224": "The pool of addresses has no such slot",
    "MESH225": "Two clusters have the same slot",
    "MESH226": "Ranges in one VPC overlap",
    "MESH227": "Networks and VPCs do not match",
    "MESH228": "The API server is closed to those who read it",
    "MESH229": "Node pools cannot be made",
    "MESH230": "GKE cannot use a range",
    "MESH231": "The load balancer that is asked for is not known",
    "MESH232": "External IPs cannot be used",
    "MESH233": "The address of the k3s server leads nowhere",
    "MESH234": "An existing subnet is described in part",
    "MESH235": "A private GKE cluster may keep its control plane from istiod",
    "MESH236": "IBM Cloud refuses what is to be made",
    "MESH237": "There is no API key for IBM Cloud",
    "MESH238": "Pods on IBM Cloud are not in a network with others",
    "MESH239": "A cluster on IBM Cloud is closed to the mesh",
    "MESH240": "The cloud is another one than the platform's",
    "MESH301": "Intermediates outlive the root",
    "MESH302": "A certificate's lifetime is too short to rotate it in peace",
    "MESH303": "The root is rotated while only one is taken",
    "MESH304": "A serial is for a cluster that does not sign",
    "MESH305": "Ambient takes one root at a time",
    "MESH306": "Whether several roots are taken is not decided here",
    "MESH307": "A certificate ends soon",
    "MESH310": "The root comes from no source, or from several",
    "MESH311": "A certificate or key cannot be read",
    "MESH312": "A certificate or key is not in the form that istiod reads",
    "MESH313": "A certificate is not valid now",
    "MESH314": "A certificate may not sign what it is to sign",
    "MESH315": "A certificate is too weak, or of an unknown kind",
    "MESH316": "A private key does not serve",
    "MESH317": "A chain does not lead to its root",
    "MESH318": "The certificates of two clusters have different roots",
    "MESH319": "The source does not sign for an external control plane",
    "MESH320": "A cluster has no signing certificate, or a certificate no cluster",
    "MESH321": "A setting is about certificates that are not made here",
    "MESH322": "Vault is not reached by HTTPS",
    "MESH323": "cert-manager does not rotate a root by phases",
    "MESH401": "The Istio version is malformed or unknown",
    "MESH402": "The Istio version has a known bug or limit for what is asked",
    "MESH403": "A remote has no control plane",
    "MESH404": "Chart values set a key that the mesh owns",
    "MESH405": "The source of the charts is ambiguous or incomplete",
    "MESH406": "A setting of Istio is not read here",
    "MESH408": "Several control planes could serve a cluster",
    "MESH409": "The named control plane cannot serve the cluster",
    "MESH410": "Remotes cannot call a webhook behind a host name nobody knows yet",
    "MESH411": "Ambient has neither remotes nor an external control plane",
    "MESH412": "An external control plane has no config cluster, or several",
    "MESH413": "An external control plane is in istio-system",
    "MESH414": "An external control plane is asked for what it cannot do",
    "MESH415": "Remotes do not reach their control plane",
    "MESH416": "The CRDs cannot be taken away",
    "MESH417": "Ambient in several clusters of one network is untested",
    "MESH418": "Sidecars and ambient get in each other's way between networks",
    "MESH419": "Values are set for a chart that is not used",
    "MESH420": "The charts are no longer where they are looked for",
    "MESH421": "The Istio version is out of support",
    "MESH422": "Ambient lacks the CNI plugin",
    "MESH423": "A gateway's certificate is for nothing",
    "MESH424": "Remotes behind a host name are injected by one revision only",
    "MESH425": "A gateway's hosts are said where nobody reads them",
    "MESH426": "The ambient gateway does not have a setting",
    "MESH427": "An image is pinned to another version",
    "MESH501": "The kubeconfig is missing or cannot be read",
    "MESH502": "The kubeconfig has several sources",
    "MESH503": "istiod refuses the peer kubeconfig",
    "MESH504": "Two clusters use the same API server",
    "MESH505": "A kubeconfig does not verify the API server",
    "MESH506": "A requested token is always due",
    "MESH507": "A requested token leaves little time to renew it",
    "MESH508": "A token's serial is for no token",
    "MESH509": "A setting of tokens has no effect",
    "MESH510": "Peers cannot authenticate as the document says",
    "MESH511": "What peers authenticate with is missing or cannot be read",
    "MESH512": "The peers' certificate lets nobody in, or ends soon",
    "MESH513": "Peers cannot verify the API server",
    "MESH601": "Two revisions have the same name",
    "MESH602": "The default revision is not among the revisions",
    "MESH603": "A revision is for a cluster that is not there",
    "MESH604": "A cluster has no revision",
    "MESH605": "A cluster lacks the default revision",
    "MESH606": "A gateway's revision is not in its cluster",
    "MESH607": "A remote's revision is not in its control plane",
    "MESH608": "Control planes are more than one minor version apart",
    "MESH609": "A revision is newer than the CRDs",
    "MESH610": "A tag points at a revision that is not there",
    "MESH611": "A tag has the name of a revision",
    "MESH612": "The tag default and the unnamed revision inject the same pods",
    "MESH701": "Discovery names a cluster that is not there",
    "MESH702": "A cluster cannot read, or cannot be read",
    "MESH703": "The reach of discovery is empty",
    "MESH704": "Hubs or edges are listed, and the reach ignores them",
    "MESH705": "A cluster is in no edge of discovery",
    "MESH706": "What is mounted for discovery is not said, or for nothing",
    "MESH707": "The Istio version reads no mounted kubeconfigs",
    "MESH801": "The facts of another mesh are missing or cannot be read",
    "MESH802": "Two meshes have the same ID",
    "MESH803": "Two meshes have the same trust domain",
    "MESH804": "Nobody has signed off the facts of another mesh",
    "MESH805": "The facts are those of another mesh",
    "MESH806": "The roots of another mesh have ended, or end soon",
    "MESH807": "A service is imported that is not exported to this mesh",
    "MESH808": "The name of a service or an account cannot be used between meshes",
    "MESH809": "One host is two services",
    "MESH810": "An alias makes another mesh's identities ours",
    "MESH811": "The facts of another mesh name no gateway",
    "MESH812": "The roots of other meshes reach no proxy",
    "MESH813": "Two meshes have the same root",
    "MESH814": "Ambient does not take part in trust between meshes",
    "MESH815": "Trust between meshes names a cluster that cannot take part",
    "MESH816": "Something is exported to a mesh that is not trusted",
    "MESH817": "Imported services have no address in DNS",
    "MESH818": "Nothing leads to what is exported",
    "MESH850": "What is visible is listed, and nothing is selective",
    "MESH851": "A name in the visibility cannot be used",
    "MESH852": "The data plane does not select in that way",
    "MESH854": "Other meshes may call what is not visible across clusters",
    "MESH855": "A gateway shuts out what is visible",
    "MESH856": "A host is visible and stays in its cluster",
    "MESH857": "Discovery selectors leave out the root namespace",
    "MESH858": "Sidecars are not told of an imported service",
    "MESH859": "What is visible is decided in a mesh config that is not made here",
    "MESH860": "Two teams have one name or one namespace",
    "MESH861": "A team's name or namespace cannot be used",
    "MESH862": "A team lets in somebody unknown, or lets in everybody",
    "MESH863": "STRICT refuses probes that are not rewritten",
    "MESH864": "Nobody can be known without mutual TLS",
    "MESH865": "Nobody injects a team's workloads",
    "MESH866": "Mutual TLS of a namespace is said twice",
    "MESH867": "A team's namespace is selected by no discovery selector",
    "MESH868": "A mesh that shares its clusters has no name for its injector",
    "MESH869": "A mesh that shares its clusters looks at all namespaces",
    "MESH870": "A mesh cannot be the guest of another",
    "MESH871": "A guest does not bring CRDs",
    "MESH901": "The weights of a route do not add up to 100",
    "MESH902": "A route leads to a subset that is not there",
    "MESH903": "Failover without outlier detection",
    "MESH904": "LEAST_CONN is LEAST_REQUEST now",
    "MESH905": "Nobody serves a host",
    "MESH906": "No version is in a subset",
    "MESH907": "A route is never reached",
    "MESH908": "A host has rules twice",
    "MESH909": "The host of a rule is no name of one service",
    "MESH910": "A region of a failover has no cluster",
    "MESH911": "Retries do not fit into the timeout",
    "MESH912": "Ambient leads no requests without a waypoint",
    "MESH913": "Two rules for a service exclude each other",
    "MESH920": "A host with TLS has no certificate",
    "MESH921": "A credential is not in the gateway's namespace",
    "MESH922": "A gateway lets one host in twice",
    "MESH923": "Two gateways of a cluster have one name",
    "MESH924": "A redirect to HTTPS leads nowhere",
    "MESH925": "A host has no port",
    "MESH926": "A node port cannot be used",
    "MESH927": "The name of a gateway, a host, a path or a service cannot be used",
    "MESH928": "One path leads to two services",
    "MESH929": "An ingress gateway lies beside istiod's keys",
    "MESH930": "An egress host with a star has no address",
    "MESH931": "A host is declared in some clusters only",
    "MESH932": "The CRDs of the Gateway API may be missing",
    "MESH933": "Ambient does not take the egress gateway",
    "MESH934": "A gateway to the outside is where nobody configures it",
    "MESH935": "A cluster lacks the egress gateway that it is led to",
    "MESH936": "A host cannot be an egress host",
    "MESH937": "The certificate of a host cannot be presented",
    "MESH938": "Two hosts say differently what is in one Secret",
    "MESH940": "An application is placed in a cluster that is not there",
    "MESH941": "An application is placed where no workloads are",
    "MESH942": "A service of an application has no version anywhere",
    "MESH943": "The namespace of an application cannot be its own",
    "MESH944": "Nobody injects an application",
    "MESH945": "An application stays in one cluster",
    "MESH946": "An application's services are hidden between clusters",
    "MESH947": "An application asks for a data plane that the mesh does not have",
    "MESH955": "A virtual machine's cluster is not there, or has no workloads",
    "MESH956": "An external control plane cannot serve virtual machines",
    "MESH957": "Ambient has no way in for virtual machines",
    "MESH958": "No gateway leads virtual machines to istiod",
    "MESH959": "A virtual machine finds no IP of istiod",
    "MESH960": "A virtual machine has a name that cannot be used",
    "MESH961": "Two virtual machines, or two of their ports, have one name",
    "MESH962": "A virtual machine's token ends too early or too late",
    "MESH963": "A virtual machine's revision is not in its control plane",
    "MESH964": "Virtual machines are entered by nobody, or twice",
    "MESH965": "A virtual machine's probe asks nothing, or for nothing",
    "MESH966": "istiod is told to ignore virtual machines",
    "MESH967": "A virtual machine is hidden from callers",
    "MESH968": "A virtual machine's host has no address in DNS",
    "MESH969": "The namespace of virtual machines is somebody else's",
}
"""Every number, also those of `settings.document`, with its title. A number is never given to another rule: MESH407,
which refused remotes while there were none, is retired."""

_NUMBERS = re.compile(r"(\d+)")


def findings(
    mesh: MeshSettings,
    kubeconfigs: Kubeconfigs | None = None,
    peer_kubeconfigs: Kubeconfigs | None = None,
    *,
    holds_chart: HoldsChart | None = None,
    texts: Texts | None = None,
    now: datetime | None = None,
    brought: frozenset[str] = frozenset(),
    facts: Facts | None = None,
) -> tuple[Finding, ...]:
    """Everything the rules find, errors first, then in the order of the document.

    Args:
        mesh: the document.
        kubeconfigs: what `kubeconfig` of the clusters names, by position in `clusters`; left out, only what the
            document itself says is checked.
        peer_kubeconfigs: the same for `peerKubeconfig`.
        holds_chart: tells whether a folder holds a chart; left out, folders are not looked into.
        texts: certificates and keys, by the place of the document that names them.
        now: the time; left out, certificates are not looked at.
        brought: names of clusters that need no kubeconfig, since the calling program hands them over ready.
        facts: what other meshes say of themselves, by position in `meshes`, as far as it stands in files.
    """
    context = Context(
        mesh, kubeconfigs or {}, peer_kubeconfigs or {}, holds_chart, texts or {}, now, brought, facts or {}
    )
    return tuple(sorted((finding for rule in RULES for finding in rule(context)), key=_order))


def check(
    mesh: MeshSettings,
    kubeconfigs: Kubeconfigs | None = None,
    peer_kubeconfigs: Kubeconfigs | None = None,
    *,
    holds_chart: HoldsChart | None = None,
    texts: Texts | None = None,
    now: datetime | None = None,
    brought: frozenset[str] = frozenset(),
    facts: Facts | None = None,
) -> tuple[Finding, ...]:
    """The warnings of a document that may be built.

    Raises:
        FindingsError: with errors and warnings, when there is an error.
    """
    found = findings(
        mesh,
        kubeconfigs,
        peer_kubeconfigs,
        holds_chart=holds_chart,
        texts=texts,
        now=now,
        brought=brought,
        facts=facts,
    )
    if any(finding.severity is Severity.ERROR for finding in found):
        raise FindingsError(found)
    return found


def _order(finding: Finding) -> tuple[bool, list[tuple[int, str]], str, str]:
    """`clusters[2]` comes before `clusters[10]`."""
    place = [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(finding.place)]
    return finding.severity is not Severity.ERROR, place, finding.code, finding.reason
