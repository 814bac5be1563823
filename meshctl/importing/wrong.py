"""What is wrong with something that was read: where, as a document would name it, and why. Never the value."""

from __future__ import annotations

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from mesh_components.settings.document import place


def wrong(error: ValidationError) -> str:
    """The first mistake."""
    first = error.errors(include_input=False, include_url=False)[0]
    where = (to_camel(part) if isinstance(part, str) and "_" in part else part for part in first["loc"])
    return f"{place(tuple(where))}: {first['msg']}"
