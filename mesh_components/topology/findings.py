"""All the rules about a mesh document, run at once, before the first resource is made.

Rules read the document and the kubeconfigs it names, never a cluster: a preview needs no network. Each has a page in
docs/findings, whose examples are run as tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mesh_components.settings import Finding, FindingsError, MeshSettings, Severity
from mesh_components.topology.rules import RULES, Context, HoldsChart, Kubeconfigs

CATALOGUE: Mapping[str, str] = {
    "MESH001": "A key is unknown, missing or of the wrong type",
    "MESH002": "There is no mesh document",
    "MESH003": "A secret stands in the document",
    "MESH101": "The cluster name is no DNS-1123 label",
    "MESH102": "Two clusters have the same name",
    "MESH103": "The network name cannot be a label value",
    "MESH104": "The revision is no DNS-1123 label",
    "MESH105": "The mesh ID or the trust domain cannot be used",
    "MESH106": "The mesh has fewer than two clusters",
    "MESH107": "The root namespace's name is no DNS-1123 label",
    "MESH201": "Address ranges of two clusters of one network overlap",
    "MESH202": "Address ranges of one cluster overlap",
    "MESH203": "A range is no CIDR",
    "MESH204": "The API server's address is loopback for its readers",
    "MESH205": "The API server's address is private to another network",
    "MESH206": "The API server's address is no https URL",
    "MESH207": "A network has no east-west gateway of its own",
    "MESH208": "Peers cannot find the east-west gateway",
    "MESH209": "The autoscaler's minimum is above its maximum",
    "MESH301": "Intermediates outlive the root",
    "MESH302": "A certificate's lifetime is too short to rotate it in peace",
    "MESH401": "The Istio version is malformed or unknown",
    "MESH402": "The Istio version has a known bug for what is asked",
    "MESH403": "A remote has no primary",
    "MESH404": "Chart values set a key that the mesh owns",
    "MESH405": "The source of the charts is ambiguous or incomplete",
    "MESH406": "Istio is configured though something else installs it",
    "MESH501": "The kubeconfig is missing or cannot be read",
    "MESH502": "The kubeconfig has several sources",
    "MESH503": "istiod refuses the peer kubeconfig",
    "MESH504": "Two clusters use the same API server",
    "MESH505": "A kubeconfig does not verify the API server",
}
"""Every number, also those of `settings.document`, with its title. A number is never given to another rule."""

_NUMBERS = re.compile(r"(\d+)")


def findings(
    mesh: MeshSettings,
    kubeconfigs: Kubeconfigs | None = None,
    peer_kubeconfigs: Kubeconfigs | None = None,
    *,
    holds_chart: HoldsChart | None = None,
    brought: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Everything the rules find, errors first, then in the order of the document.

    Args:
        mesh: the document.
        kubeconfigs: what `kubeconfig` of the clusters names, by position in `clusters`; left out, only what the
            document itself says is checked.
        peer_kubeconfigs: the same for `peerKubeconfig`.
        holds_chart: tells whether a folder holds a chart; left out, folders are not looked into.
        brought: names of clusters that need no kubeconfig, since the calling program hands them over ready.
    """
    context = Context(mesh, kubeconfigs or {}, peer_kubeconfigs or {}, holds_chart, brought)
    return tuple(sorted((finding for rule in RULES for finding in rule(context)), key=_order))


def check(
    mesh: MeshSettings,
    kubeconfigs: Kubeconfigs | None = None,
    peer_kubeconfigs: Kubeconfigs | None = None,
    *,
    holds_chart: HoldsChart | None = None,
    brought: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """The warnings of a document that may be built.

    Raises:
        FindingsError: with errors and warnings, when there is an error.
    """
    found = findings(mesh, kubeconfigs, peer_kubeconfigs, holds_chart=holds_chart, brought=brought)
    if any(finding.severity is Severity.ERROR for finding in found):
        raise FindingsError(found)
    return found


def _order(finding: Finding) -> tuple[bool, list[tuple[int, str]], str, str]:
    """`clusters[2]` comes before `clusters[10]`."""
    place = [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(finding.place)]
    return finding.severity is not Severity.ERROR, place, finding.code, finding.reason
