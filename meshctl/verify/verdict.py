"""What a verification has come to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from meshctl.verify.answers import Asked, Round, Target, missing
from meshctl.verify.causes import Cause

VERIFIED, NOT_ASKED, FAILED = 0, 3, 4
"""Exit codes; 1 and 2 are those of a command that could not do its work."""


@dataclass(frozen=True)
class Verdict:
    """All that is said."""

    calls: Round
    causes: tuple[Cause, ...] = ()

    @property
    def asked(self) -> tuple[Asked, ...]:
        """What each cluster's client got."""
        return self.calls.asked

    @property
    def missing(self) -> list[tuple[str, Target]]:
        """Who has not heard of which version."""
        return missing(self.asked, self.calls.placed)

    @property
    def failed(self) -> bool:
        """Whether something does not work, as far as could be seen."""
        lost = any(one.failed or (one.unasked and not one.pretended) for one in self.asked)
        return lost or bool(self.missing) or any(cause.state == "wrong" for cause in self.causes)

    @property
    def exit_code(self) -> int:
        """Of the command."""
        if self.failed:
            return FAILED
        return NOT_ASKED if any(one.unasked for one in self.asked) else VERIFIED

    @property
    def only_local(self) -> list[str]:
        """Clusters whose client got answers of its own cluster and of no other."""
        heard = {one.cluster: {target.cluster for target in one.counts} for one in self.asked if one.counts}
        return [name for name, clusters in heard.items() if clusters == {name} and name in dict(self.missing)]

    def data(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "url": self.calls.url,
            "requests": self.calls.times,
            "verified": self.exit_code == VERIFIED,
            "asked": [one.data() for one in self.asked],
            "missing": [
                {"from": caller, "version": target.version, "cluster": target.cluster}
                for caller, target in self.missing
            ],
            "onlyLocal": self.only_local,
            "causes": [cause.data() for cause in self.causes],
        }


def suspects(asked: Sequence[Asked], placed: Sequence[Target]) -> list[tuple[str, str]]:
    """Pairs of clusters to look at: where a version was not heard of, and all where nobody could be asked."""
    pairs = [(caller, target.cluster) for caller, target in missing(asked, placed)]
    return pairs + [(one.cluster, target.cluster) for one in asked if one.unasked for target in placed]
