"""The texts that a source of the root names, and the bundles they make. Pure: who reads them hands them over.

Where the root's key is elsewhere there are no bundles beforehand, and the root's certificate alone is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mesh_components.settings.base import Settings
from mesh_components.settings.place import PlaceError, PlaceSettings
from mesh_components.settings.source import IntermediateSettings, OwnRootSettings, SourceSettings
from mesh_components.settings.trust import TrustSettings
from mesh_components.topology.certificates import Bundle, Signer

Texts = Mapping[str, str | PlaceError]
"""What the document names, by its place there: `trust.source.root.key`. Some are secret."""


@dataclass(frozen=True)
class Stated:
    """A source of the document."""

    place: str
    """`trust.source`."""
    generation: int
    """Of the root that it gives."""
    settings: SourceSettings


def stated(trust: TrustSettings) -> Iterator[Stated]:
    """The sources of a document."""
    if trust.source is not None:
        yield Stated("trust.source", trust.root_serial, trust.source)
    if trust.rotation is not None and trust.rotation.source is not None:
        yield Stated("trust.rotation.source", trust.root_serial + 1, trust.rotation.source)


def places(trust: TrustSettings) -> Iterator[tuple[str, PlaceSettings]]:
    """Everything that the sources name, with its place in the document."""
    for source in stated(trust):
        yield from within(source.place, source.settings)


def within(place: str, value: Any) -> Iterator[tuple[str, PlaceSettings]]:
    """Everything that a part of the document names, with its place there."""
    if isinstance(value, PlaceSettings):
        yield place, value
    elif isinstance(value, Settings):
        for name, field in type(value).model_fields.items():
            yield from within(f"{place}.{field.alias}", getattr(value, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from within(f"{place}.{key}", item)


def text(texts: Texts, place: str) -> str | None:
    """A text that was read; None where it was not."""
    found = texts.get(place)
    return found if isinstance(found, str) else None


def signer(texts: Texts, place: str, settings: OwnRootSettings) -> Signer | None:
    """What signs; None as long as not all of it was read."""
    certificate, key = text(texts, f"{place}.certificate"), text(texts, f"{place}.key")
    chain = text(texts, f"{place}.chain")
    if certificate is None or key is None or (chain is None and settings.chain is not None):
        return None
    return Signer(certificate, key, chain)


def bundle(texts: Texts, place: str, settings: IntermediateSettings) -> Bundle | None:
    """The bundle of one cluster; None as long as not all of it was read."""
    certificate, key = text(texts, f"{place}.certificate"), text(texts, f"{place}.key")
    root, chain = text(texts, f"{place}.root"), text(texts, f"{place}.chain")
    if certificate is None or key is None or root is None or (chain is None and settings.chain is not None):
        return None
    return Bundle(certificate, key, chain if chain is not None else f"{certificate.rstrip()}\n{root}", root)
