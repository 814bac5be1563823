"""A review as a comment for a pull request: folds, and never longer than GitHub takes.

What comes from a document stands in code, so that a name in it can neither call somebody nor become a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from meshctl.review import words
from meshctl.review.review import Review
from meshctl.rows import DONE, OPS, Row

LIMIT = 65_536
"""Characters of a comment (https://github.com/orgs/community/discussions/27190)."""
ROOM = 60_000
"""Characters that are used of it: whoever posts the comment adds a line or two."""
_CUT = "_More does not fit into a comment: {}. Run `mesh diff` to see all of it._"
_TOLD = 50
"""So many risks or findings are told; more of them nobody reads."""


def write(review: Review, room: int = ROOM) -> str:
    """What matters first; what no longer fits is counted."""
    head = "\n".join(_head(review))
    room -= len(head) + len(_CUT) + 200
    parts: list[str] = []
    left: list[str] = []
    for title, body in _folds(review):
        part = f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
        if len(part) + 2 <= room:
            parts.append(part)
            room -= len(part) + 2
        else:
            left.append(re.sub(r"<[^>]+>", "", title))
    if left:
        more = f"{', '.join(left[:3])} and {len(left) - 3} more" if len(left) > 3 else ", ".join(left)
        parts.append(_CUT.format(more))
    return "\n\n".join([head, *parts]) + "\n"


def _head(review: Review) -> Iterator[str]:
    yield f"### Mesh {_code(review.title)}: {words.headline(review)}"
    yield ""
    yield f"From {_code(review.before.label)} to {_code(review.after.label)}."
    for note in review.notes:
        yield f"- {_plain(note)}"
    if review.risks:
        yield ""
        yield "**Risks**"
        yield ""
        for risk in review.risks[:_TOLD]:
            sign = "🔴" if risk.level == "high" else "🟡"
            yield f"- {sign} {_code(risk.what)}: {_plain(risk.why)} ({_code(risk.page)})"
        yield from _more(len(review.risks))
    if review.rows:
        yield ""
        yield from _table(review)
    for title, found in (("New findings", review.new), ("Findings that are gone", review.gone)):
        if found:
            yield ""
            yield f"**{title}**"
            yield ""
            yield from (f"- `{item.code}` {item.severity} at {_code(item.place)}" for item in found[:_TOLD])
            yield from _more(len(found))


def _more(count: int) -> Iterator[str]:
    if count > _TOLD:
        yield f"- and {count - _TOLD} more"


def _table(review: Review) -> Iterator[str]:
    yield "| | " + " | ".join(DONE[op] for op in OPS) + " |"
    yield "| --- |" + " ---: |" * len(OPS)
    clusters = words.clusters(review.rows)
    for cluster, rows in list(clusters.items())[:_TOLD]:
        numbers = " | ".join(str(count or "") for count in words.counts(rows).values())
        yield f"| {_code(cluster) if cluster else words.OUTSIDE} | {numbers} |"
    if len(clusters) > _TOLD:
        yield f"| and {len(clusters) - _TOLD} more | | | | |"


def _folds(review: Review) -> Iterator[tuple[str, str]]:
    found = [*review.new]
    if found:
        yield "New findings in full", _fence("\n".join(map(str, found)), "text")
    for cluster, rows in words.clusters(review.rows).items():
        name = f"<code>{_escaped(cluster)}</code>" if cluster else words.OUTSIDE
        told = ", ".join(f"{count} {DONE[op]}" for op, count in words.counts(rows).items() if count)
        yield f"{name}: {told}", _fence("\n".join(_diff(rows)), "diff")
    before, after = review.pictures()
    if before != after:
        drawn = [(word, text.rstrip()) for word, text in (("Before", before), ("After", after)) if text]
        yield "The picture", "\n\n".join(f"{word}:\n\n{_fence(text, 'mermaid')}" for word, text in drawn)


def _diff(rows: Iterable[Row]) -> Iterator[str]:
    """Lines as GitHub colours them: `+` green, `-` red, `!` orange."""
    for row in rows:
        line = words.line(row)
        sign = {"create": "+", "delete": "-"}.get(row.op, "!")
        yield f"{sign} {row.op}  {line[3:]}"
        if row.op != "create":
            yield from (f"      {text}" for text in words.fields(row))


def _fence(text: str, language: str) -> str:
    """A fence that nothing inside ends."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _code(text: str) -> str:
    """A code span that nothing inside ends, also in a table."""
    text = words.text(text).replace("|", "\\|")
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * (longest + 1)
    space = " " if "`" in text else ""
    return f"{ticks}{space}{text}{space}{ticks}"


def _plain(text: str) -> str:
    """Words of ours, in which a label may stand: it becomes no markup; code of ours stays code."""
    return re.sub(r"([<>\[\]@#|])", r"\\\1", text)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
