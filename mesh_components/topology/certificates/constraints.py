"""Name constraints of an authority, and the names that Istio's certificates carry.

Workloads have one URI, `spiffe://<trust domain>/ns/…`, istiod the DNS name of its Service; the constraints of URIs are
about the host, which is the trust domain (RFC 5280, 4.2.1.10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mesh_components.topology.certificates.bundle import Expected, Remark

_KINDS = {"DNSName": "DNS", "UniformResourceIdentifier": "URI"}
_HANDLED = {*_KINDS, "IPAddress", "RFC822Name"}
"""What crypto/x509 knows of name constraints."""


def checks(extension: Any | None, expected: Expected) -> Iterator[Remark]:
    """What an authority's name constraints keep out."""
    if extension is None:
        return
    permitted = list(extension.value.permitted_subtrees or ())
    excluded = list(extension.value.excluded_subtrees or ())
    unknown = {type(item).__name__ for item in (*permitted, *excluded)} - _HANDLED
    if unknown and extension.critical:
        yield Remark(
            "constraint-kind",
            f"has critical name constraints of a kind that Go does not know ({', '.join(sorted(unknown))}) and so "
            "refuses",
            "issue it without them",
        )
    carried = {
        "UniformResourceIdentifier": (expected.trust_domain, f"spiffe://{expected.trust_domain}/… of every workload"),
        "DNSName": (f"istiod.{expected.namespace}.svc", f"istiod.{expected.namespace}.svc of istiod itself"),
    }
    for kind, (host, words) in carried.items():
        allowed = _values(permitted, kind)
        if (allowed and not _matches(host, allowed, kind)) or _matches(host, _values(excluded, kind), kind):
            yield Remark(
                f"constrained-{_KINDS[kind].lower()}",
                f"has name constraints that keep out {words}",
                f"issue it without name constraints, or with {host} permitted ({_KINDS[kind]})",
            )


def _values(subtrees: Iterable[Any], kind: str) -> list[str]:
    return [str(item.value) for item in subtrees if type(item).__name__ == kind]


def _matches(host: str, subtrees: list[str], kind: str) -> bool:
    return any(_within(host.lower(), subtree.lower(), kind) for subtree in subtrees)


def _within(host: str, subtree: str, kind: str) -> bool:
    """A URI's constraint is one host, or with a leading dot all below it; a DNS name's is a domain with all below."""
    if not subtree:
        return True
    if subtree.startswith("."):
        return host.endswith(subtree)
    return host == subtree or (kind == "DNSName" and host.endswith(f".{subtree}"))
