"""Certificates that end: which are warned of. Pure: dates and the time come from the caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mesh_components.settings import Finding, Severity

_SHOWN = 3
_INTERMEDIATE = "mesh rotate plan intermediate --cluster {}"


_KINDS = (
    ("roots", "trust.rotation", "root {}", "mesh rotate plan root"),
    ("clusters", "trust.intermediateSerials.{}", "the signing certificate of {}", _INTERMEDIATE),
    ("servers", "trust.intermediateSerials.{}", "the certificate in front of the istiod in {}", _INTERMEDIATE),
)
"""Keys of the output `expires`, with the place in the document, the words and the way."""


def ending(expires: Mapping[str, Any], before: timedelta, now: datetime) -> Iterator[Finding]:
    """MESH307, of what has a date: certificates that have ended, or end sooner than asked for.

    Args:
        expires: the output of that name.
        before: how long before the end.
        now: the time.
    """
    for kind, place, what, how in _KINDS:
        for name, text in expires[kind].items():
            end = parse(text)
            if end is None or end - now > before:
                continue
            left = "has ended" if end <= now else f"ends in {(end - now).days} days"
            yield Finding(
                "MESH307",
                Severity.WARNING,
                place.format(name),
                f"{what.format(name)} {left}, on {end:%Y-%m-%d}, and nothing renews it by itself",
                f"follow `{how.format(name)}`",
            )


def outliving(ends: Mapping[str, str], root: str) -> Iterator[Finding]:
    """MESH301, of what has a date: signing certificates, by cluster, that end after their root."""
    last = parse(root)
    late = sorted(cluster for cluster, text in ends.items() if last and (end := parse(text)) and end > last)
    if last and late:
        named = ", ".join(late[:_SHOWN]) + (f" and {len(late) - _SHOWN} more" if len(late) > _SHOWN else "")
        yield Finding(
            "MESH301",
            Severity.WARNING,
            "trust.intermediateValidityDays",
            f"the signing certificates of {named} end after their root, which ends on {last:%Y-%m-%d}: from then on "
            "none of the mesh's certificates is valid, whatever date it carries",
            "rotate the root before that day (`mesh rotate plan root`)",
        )


def parse(text: object) -> datetime | None:
    """RFC 3339; None where a source gave no date, or one that cannot be read."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
