"""All the rules about a mesh document, run at once, before the first resource is made.

Rules read the document and the kubeconfigs it names, never a cluster: a preview needs no network. Each has a page in
docs/findings, whose examples are run as tests.
"""

from __future__ import annotations

import re
from datetime import datetime

from mesh_components.settings import Finding, FindingsError, MeshSettings, Severity
from mesh_components.topology.material import Texts
from mesh_components.topology.rules import RULES, Context, Facts, HoldsChart, Kubeconfigs

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
