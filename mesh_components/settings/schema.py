"""The JSON Schema of the document, for editors: every key with the docstring that stands below it in the code.

pydantic can read those docstrings too, but does so whenever a model is imported, and every command would wait for it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeVar

from mesh_components.settings.base import Settings
from mesh_components.settings.mesh import MeshSettings

T = TypeVar("T")


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the document, for editors and for checks outside of Python."""
    schema = MeshSettings.model_json_schema(by_alias=True)
    models = {model.__name__: model for model in subclasses(Settings)}
    for name, found in {MeshSettings.__name__: schema, **schema["$defs"]}.items():
        if name in models:
            _describe(found["properties"], models[name])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "mesh", **schema}


def subclasses(base: type[T]) -> Iterator[type[T]]:
    """Those of a class that were imported, however far below it."""
    for model in base.__subclasses__():
        yield model
        yield from subclasses(model)


def _describe(properties: dict[str, dict[str, Any]], model: type[Settings]) -> None:
    texts = described(model)
    for name, field in model.model_fields.items():
        if name in texts:
            properties[field.alias or name]["description"] = texts[name]


def described(model: type) -> dict[str, str]:
    """The text that stands below each attribute of a class of ours, or of its bases."""
    package = __package__.partition(".")[0]
    parts = (part for part in reversed(model.__mro__) if part.__module__.startswith(f"{package}."))
    return {name: text for part in parts for name, text in _docstrings(part)}


def _docstrings(model: type) -> Iterator[tuple[str, str]]:
    """Each attribute that a string follows."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    for field, text in pairwise(getattr(definition, "body", ())):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            yield field.target.id, inspect.cleandoc(str(text.value.value))
