"""Why a version does not answer: five causes, in the order in which a person would look
(https://istio.io/latest/docs/ops/diagnostic-tools/multicluster/). Pure: what was found goes in.

All but the second are what `mesh check` finds; here it is put together for one caller and one cluster that it misses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mesh_components.settings import Severity
from mesh_components.topology.plan import Topology
from meshctl.check.catalogue import listed
from meshctl.check.results import Problem, Result, Unknown
from meshctl.verify.answers import Target
from meshctl.verify.there import There

State = Literal["ok", "wrong", "unknown"]

TITLES = {1: "remote secret", 2: "endpoints", 3: "gateway", 4: "network label", 5: "roots"}
"""What each is about, by its number."""
_CHECKS: Mapping[int, tuple[str, ...]] = {
    1: ("CHECK2", "CHECK5", "CHECK8"),
    3: ("CHECK601", "CHECK602", "CHECK603", "CHECK604", "CHECK605", "CHECK606", "CHECK607", "CHECK608"),
    4: ("CHECK306", "CHECK307", "CHECK308", "CHECK609"),
    5: ("CHECK4", "CHECK703"),
}
"""Beginnings of the checks' numbers."""


@dataclass(frozen=True)
class Cause:
    """One cause, for one caller and one cluster that it misses."""

    number: int
    caller: str
    cluster: str
    state: State
    """`unknown` where a part of it could not be looked at, and the rest is well."""
    says: tuple[str, ...] = ()
    """What is wrong and what to do, or why it is not known."""

    @property
    def title(self) -> str:
        """What it is about."""
        return TITLES[self.number]

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "number": self.number,
            "title": self.title,
            "from": self.caller,
            "to": self.cluster,
            "state": self.state,
            "says": list(self.says),
        }


@dataclass(frozen=True)
class Known:
    """All that was found of a mesh."""

    topology: Topology
    checks: Sequence[Result]
    """Of `mesh check`."""
    there: Mapping[str, There]
    """What there is of the application, by cluster."""
    placed: Collection[Target]
    sidecars: bool
    """Whether its pods are to have sidecars."""


def causes(known: Known, pairs: Iterable[tuple[str, str]]) -> list[Cause]:
    """All five, for each caller with a cluster that it misses."""
    return [_cause(known, number, *pair) for pair in sorted(set(pairs)) for number in TITLES]


def _cause(known: Known, number: int, caller: str, cluster: str) -> Cause:
    if number == 2:
        return _endpoints(known, caller, cluster)
    if caller == cluster and number in (1, 3):
        return Cause(number, caller, cluster, "ok", ("it is the same cluster",))
    network = {name: known.topology.cluster(name).settings.network for name in (caller, cluster)}
    if number == 3 and network[caller] == network[cluster]:
        return Cause(number, caller, cluster, "ok", ("both are in one network, and no gateway is between them",))
    where = _where(known.topology, number, caller, cluster)
    found = [one for one in known.checks if one.code.startswith(_CHECKS[number]) and _is_about(one, where)]
    wrong = tuple(
        f"{one.code}: {_at(one, one.cause)}; {one.fix}"
        for one in found
        if isinstance(one, Problem) and one.severity is Severity.ERROR
    )
    if wrong:
        return Cause(number, caller, cluster, "wrong", wrong)
    unknown = tuple(_unknown(one for one in found if not isinstance(one, Problem)))
    return Cause(number, caller, cluster, "unknown" if unknown else "ok", unknown)


def _unknown(found: Iterable[Unknown]) -> Iterator[str]:
    """A line for each reason, however many checks have it."""
    codes: dict[str, list[str]] = {}
    for one in found:
        codes.setdefault(_at(one, one.why), []).append(one.code)
    yield from (f"{listed(which)}: {why}" for why, which in codes.items())


def _at(one: Result, words: str) -> str:
    return f"{one.where}: {words}" if one.where else words


def _where(topology: Topology, number: int, caller: str, cluster: str) -> set[str]:
    """What checks are about that matter for this cause, as they name it."""
    server = topology.cluster(caller).control_plane
    if number == 1:
        return {cluster, server, f"{cluster} -> {server}"}
    if number == 3:
        return {cluster}
    return {caller, cluster, server, topology.cluster(cluster).control_plane}


def _is_about(one: Result, where: set[str]) -> bool:
    """What names no place is about all of them."""
    return not one.where or not where.isdisjoint(one.where.split(", "))


def _endpoints(known: Known, caller: str, cluster: str) -> Cause:
    here, there = known.there[caller], known.there[cluster]
    unread = tuple(one.unread for one in (here, there) if one.unread)
    if unread:
        return Cause(2, caller, cluster, "unknown", tuple(dict.fromkeys(unread)))
    wrong = tuple(_wrong(known, here, there))
    return Cause(2, caller, cluster, "wrong" if wrong else "ok", wrong)


def _wrong(known: Known, here: There, there: There) -> Iterator[str]:
    for one in dict.fromkeys(item.cluster for item in (here, there) if not item.service):
        yield f"{one} has no Service helloworld, and its name leads nowhere there; `mesh up`"
    wanted = {target.version for target in known.placed if target.cluster == there.cluster}
    for version in sorted(wanted.difference(there.pods.values())):
        yield f"no pod of {version} is ready in {there.cluster}; `kubectl -n <namespace> describe pods` there tells why"
    if there.service and there.endpoints < len(there.pods):
        yield f"the Service in {there.cluster} has found {there.endpoints} of {len(there.pods)} pods; see its selector"
    if known.sidecars and there.bare:
        yield (
            f"{', '.join(there.bare)} of {there.cluster} run without a sidecar, so other networks do not know them; "
            "see the label of the namespace and the injector, then restart them"
        )
