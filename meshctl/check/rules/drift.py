"""Drift: objects that are not as they were applied, as far as no other check has named them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesh_components.topology import names
from meshctl.check.facts import Facts, Unread
from meshctl.check.results import Problem, Result, Unknown, error, warning

_SHOWN = 3


def drifted(facts: Facts, said: Sequence[Result]) -> Iterator[Result]:
    """CHECK412, CHECK901 and CHECK902."""
    if isinstance(facts.drift, Unread):
        yield from (Unknown(code, "", facts.drift.why) for code in ("CHECK412", "CHECK901", "CHECK902"))
        return
    named = {item for result in said if isinstance(result, Problem) for item in result.about}
    for cluster, why in facts.undrifted.items():
        yield from (Unknown(code, cluster, why) for code in ("CHECK901", "CHECK902"))
    for one in facts.drift:
        if one.about in named or facts.without_namespace(one.cluster):
            continue
        if one.missing:
            cause = f"{one.kind} {one.id} was applied, and is not there any more"
            yield error("CHECK901", one.cluster, cause, "run `mesh up`: it makes it again", [one.about])
            continue
        words = "; ".join(one.fields[:_SHOWN]) + (
            f"; and {len(one.fields) - _SHOWN} more" if len(one.fields) > _SHOWN else ""
        )
        is_signer = (one.kind, one.id) == ("Secret", f"{facts.root}/{names.CACERTS}")
        code = "CHECK412" if is_signer else "CHECK902"
        cause = f"{one.kind} {one.id} was changed by somebody: {words}"
        fix = "look at it with `mesh preview`; `mesh up` puts it back, or write the change into the document"
        make = error if is_signer else warning
        yield make(code, one.cluster, cause, fix, [one.about])


RULES = (drifted,)
