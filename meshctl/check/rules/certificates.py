"""Certificates: what lies in `cacerts` of every cluster, looked at as istiod, Envoy and ztunnel look at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache

from mesh_components.settings import Severity
from mesh_components.topology import names
from mesh_components.topology.certificates import Bundle
from mesh_components.topology.certificates.read import ends, split
from mesh_components.topology.expiry import parse
from mesh_components.topology.plan import ClusterPlan
from meshctl.check.facts import Facts, Object, Part, Unread
from meshctl.check.results import Problem, Result, Unknown, about, error, warning

_CODES = {
    "missing-part": "CHECK402",
    "expired": "CHECK403",
    "not-yet-valid": "CHECK404",
    "wrong-key": "CHECK405",
    "untrusted-root": "CHECK406",
    "other-key": "CHECK406",
    "missing-chain": "CHECK406",
    "different-roots": "CHECK407",
}
"""By the verifier's words; other errors are CHECK408, and warnings CHECK409."""
_UP = "run `mesh up`: it puts back what was applied"
_SHOWN = 3


def present(facts: Facts) -> Iterator[Result]:
    """CHECK401."""
    for plan, cluster in facts.inhabited():
        found = cluster.named(Part.SECRETS, names.CACERTS)
        if not plan.signs:
            continue
        if isinstance(found, Unread):
            yield Unknown("CHECK401", plan.name, found.why)
        elif found is None:
            cause = (
                f"there is no Secret {names.CACERTS} in {facts.root}: an istiod that starts now makes a root of "
                "its own, which no other cluster trusts"
            )
            fix = "run `mesh up`, then restart istiod if it has started in between"
            yield error("CHECK401", plan.name, cause, fix, [_about(facts, plan.name)])


def sound(facts: Facts) -> Iterator[Result]:
    """CHECK402 to CHECK409."""
    found = facts.flaws
    strangers = [problem for problem in found if problem.kind == "different-roots"]
    if strangers:
        yield _strangers(facts, {problem.cluster for problem in strangers})
    for problem in found:
        if problem.kind == "different-roots":
            continue
        soft = problem.severity is Severity.WARNING
        code = "CHECK409" if soft else _CODES.get(problem.kind, "CHECK408")
        where = _about(facts, problem.cluster)
        cause = f"{names.CACERTS}: {problem.reason}"
        fix = _UP if facts.drifted(where) else problem.fix
        yield Problem(code, problem.severity, problem.cluster, cause, fix, (where,))


def _strangers(facts: Facts, named: set[str]) -> Problem:
    """CHECK407: which of them is the odd one. Those that somebody changed after they were applied; where nobody did,
    those that are fewer; where that decides nothing, all."""
    there = facts.bundles
    changed = [cluster for cluster in there if facts.drifted(_about(facts, cluster))]
    roots = {cluster: certificates(bundle.root_cert or "") for cluster, bundle in there.items()}
    common, often = Counter(roots.values()).most_common(1)[0]
    fewer = [cluster for cluster, root in roots.items() if root != common] if 2 * often > len(roots) else []
    odd = changed or fewer or sorted(named | set(there))
    others = [cluster for cluster in there if cluster not in odd]
    whom = f"those of {', '.join(others[:_SHOWN])}{', ...' if len(others) > _SHOWN else ''}" if others else "each other"
    named_ones = f"{' and '.join(odd)} and {whom}" if others else ", ".join(odd)
    cause = f"{named_ones} hang on different roots, so their workloads refuse each other (CERTIFICATE_VERIFY_FAILED)"
    fix = (
        _UP
        if changed
        else "sign the certificates of all clusters under one root; for another root see `mesh rotate plan root`"
    )
    return error("CHECK407", ", ".join(odd), cause, fix, [_about(facts, cluster) for cluster in odd])


def expiring(facts: Facts) -> Iterator[Result]:
    """CHECK410: of certificates that are good otherwise."""
    before = timedelta(days=facts.decided.mesh.trust.warn_days_before)
    for cluster, bundle in facts.bundles.items():
        if _broken(facts, cluster):
            continue
        texts = [
            (
                "its signing certificate",
                split(bundle.ca_cert or "")[:1],
                f"mesh rotate plan intermediate --cluster {cluster}",
            )
        ]
        texts.append(("a root that it trusts", split(bundle.root_cert or ""), "mesh rotate plan root"))
        for what, certificates, how in texts:
            for certificate in certificates:
                end = parse(ends(certificate))
                if end and end - facts.now <= before:
                    cause = f"{what} ends on {end:%Y-%m-%d}, in {(end - facts.now).days} days"
                    yield warning("CHECK410", cluster, cause, f"follow `{how}`", [_about(facts, cluster)])


def workloads(facts: Facts) -> Iterator[Result]:
    """CHECK411: what istiod has given to the namespaces of a cluster, against what the istiod that serves it trusts."""
    good = {name: bundle for name, bundle in facts.bundles.items() if not _broken(facts, name)}
    for plan, cluster in facts.inhabited():
        found = cluster.read(Part.ROOTS)
        serving = good.get(plan.control_plane)
        if isinstance(found, Unread) or not found:
            why = (
                found.why
                if isinstance(found, Unread)
                else f"no namespace has a ConfigMap {names.ROOT_CERT}: no istiod has written one"
            )
            yield Unknown("CHECK411", plan.name, why)
        elif serving is not None:
            yield from _stale(plan, serving, found)


def _broken(facts: Facts, cluster: str) -> bool:
    """Whether a bundle by itself is of no use."""
    return any(
        problem.cluster == cluster and problem.severity is Severity.ERROR and problem.kind != "different-roots"
        for problem in facts.flaws
    )


def _stale(plan: ClusterPlan, serving: Bundle, found: tuple[Object, ...]) -> Iterator[Result]:
    wanted = certificates(serving.root_cert or "")
    texts: Mapping[str, str] = {
        item["metadata"]["namespace"]: str((item.get("data") or {}).get("root-cert.pem", "")) for item in found
    }
    stale = sorted(namespace for namespace, text in texts.items() if certificates(text) != wanted)
    if stale:
        some = ", ".join(stale[:_SHOWN]) + (f" and {len(stale) - _SHOWN} more" if len(stale) > _SHOWN else "")
        cause = (
            f"workloads in {some} are given other roots ({names.ROOT_CERT}) than istiod signs under: they trust nobody "
            "whose certificate is new"
        )
        fix = (
            f"restart istiod of {plan.control_plane}; where it still stays, delete the ConfigMap {names.ROOT_CERT} in "
            f"{some}, and istiod writes it anew"
        )
        yield error("CHECK411", plan.name, cause, fix)


@cache
def certificates(text: str) -> frozenset[str]:
    """The certificates of a text, whatever is between them."""
    return frozenset("".join(block.split()) for block in split(text))


def _about(facts: Facts, cluster: str) -> str:
    return about(cluster, "Secret", names.CACERTS, facts.root)


RULES = (present, sound, expiring, workloads)
