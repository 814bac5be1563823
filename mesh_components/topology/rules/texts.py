"""Texts that a document names: each in one place, and there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mesh_components.settings import Finding
from mesh_components.settings.place import PlaceError, PlaceSettings
from mesh_components.topology.rules.context import Context, error


def missing(
    context: Context, sources: Iterable[tuple[str, PlaceSettings]], *, once: str, absent: str, without: str
) -> Iterator[Finding]:
    """Those that are not named once, or could not be read.

    Args:
        context: the document, and what was read.
        sources: what is named, each with its place in the document.
        once: number of the finding that a text is named never, or twice.
        absent: number of the finding that it could not be read.
        without: what does not happen without it, `no cluster gets its certificate`.
    """
    for place, source in sources:
        found = context.texts.get(place)
        if len(source.stated) != 1:
            said = f"names {', '.join(source.stated)}" if source.stated else "names nothing"
            fix = "leave one of file, environment and secret"
            yield error(once, place, f"it {said}, and a text is in one place", fix)
        elif isinstance(found, PlaceError):
            fix = "correct the name, or set it: `pulumi config set --secret NAME < FILE`"
            yield error(absent, place, f"{found}; without it {without}", fix)
