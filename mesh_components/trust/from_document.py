"""From what the document says of the root's source to the source."""

from __future__ import annotations

import pulumi

from mesh_components.topology import material
from mesh_components.topology.material import Stated, Texts
from mesh_components.trust.own import OwnRootSource, ReadyMadeSource
from mesh_components.trust.source import Source


def from_document(stated: Stated, texts: Texts) -> Source:
    """Choose it. Raises `pulumi.RunError` where a text is missing that the document names: nobody handed it over."""
    settings, place = stated.settings, stated.place
    if settings.root is not None:
        signer = material.signer(texts, f"{place}.root", settings.root)
        if signer is not None:
            return OwnRootSource(signer)
    if settings.intermediates:
        own = f"{place}.intermediates"
        found = {name: material.bundle(texts, f"{own}.{name}", item) for name, item in settings.intermediates.items()}
        bundles = {name: item for name, item in found.items() if item is not None}
        if len(bundles) == len(found):
            return ReadyMadeSource(bundles)
    raise pulumi.RunError(
        f"{place}: the texts that it names were not handed over; a stack reads them itself, a program gives them to "
        "MeshFederationArgs as `texts`, by their place in the document"
    )
