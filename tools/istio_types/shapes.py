"""From the schema of a CRD to classes: what they are called, where they belong, and the type of every field.

Two objects of the same shape are one class, wherever they stand. Descriptions are never read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic.alias_generators import to_camel

from tools.istio_types import rules
from tools.istio_types.names import DEPRECATED, class_name, python_name

Schema = Mapping[str, Any]

_KNOWN = {
    *("additionalProperties", "allOf", "description", "enum", "format", "items", "maxItems", "maxLength"),
    *("maxProperties", "maximum", "minItems", "minLength", "minProperties", "minimum", "nullable", "oneOf", "pattern"),
    *("properties", "required", "type", "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys"),
    *("x-kubernetes-list-type", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations", "anyOf"),
}
_LIMITS = {
    "minimum": "ge",
    "maximum": "le",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "minProperties": "min_length",
    "maxProperties": "max_length",
}


@dataclass
class Shape:
    """A class to be: one shape of object, with all paths where it stands."""

    fields: list[str]
    together: list[str]
    needs: list[str]
    """Keys of the shapes of its fields."""
    paths: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the class."""
        spec = [path.partition(".")[0] for path in self.paths if path.endswith(".spec")]
        return f"{spec[0]}Spec" if spec else class_name(sorted(self.paths))

    @property
    def kinds(self) -> set[str]:
        """In which it is used."""
        return {path.partition(".")[0] for path in self.paths}


class Shapes:
    """All shapes of some CRDs, in the order in which one can be defined after another."""

    def __init__(self) -> None:
        self._found: dict[str, Shape] = {}

    def add(self, schema: Schema, path: str) -> str:
        """Remember an object and everything in it. Returns its key."""
        needs: list[str] = []
        fields = [
            self._field(schema, name, path, needs) for name in sorted(schema["properties"]) if name not in DEPRECATED
        ]
        key = json.dumps(_shape_alone(schema), sort_keys=True)
        if key not in self._found:
            together = [*rules.of_alternatives(schema, path), *rules.of_expressions(schema, path)]
            self._found[key] = Shape(fields, list(dict.fromkeys(together)), needs)
        self._found[key].paths.append(path)
        return key

    def __iter__(self) -> Iterator[tuple[str, Shape]]:
        return iter(self._found.items())

    def text(self, shape: Shape, text: str) -> str:
        """A field's text with the names of classes in the place of keys."""
        for number, key in enumerate(shape.needs):
            text = text.replace(f"<{number}>", self._found[key].name)
        return text

    def _field(self, schema: Schema, wire: str, path: str, needs: list[str]) -> str:
        kind = self._type(schema["properties"][wire], f"{path}.{wire}", needs)
        name = python_name(wire)
        alias = "" if to_camel(name) == wire else f'alias="{wire}"'
        if wire in schema.get("required", ()):
            return f"{name}: {kind} = Field({alias})" if alias else f"{name}: {kind}"
        default = f"Field(default=None, {alias})" if alias else "None"
        return f"{name}: {kind} | None = {default}"

    def _type(self, schema: Schema, path: str, needs: list[str]) -> str:
        """The type of one value; `<0>`, `<1>` stand for the classes that it needs."""
        unknown = set(schema) - _KNOWN
        if unknown:
            message = f"{path}: no rule for {', '.join(sorted(unknown))}"
            raise SystemExit(message)
        if "properties" in schema:
            needs.append(self.add(schema, path))
            return f"<{len(needs) - 1}>"
        limits = [f"{_LIMITS[key]}={schema[key]}" for key in _LIMITS if key in schema]
        if "pattern" in schema:
            limits.append(f"pattern={schema['pattern']!r}")
        checks = [f"Field({', '.join(limits)})"] if limits else []
        checks += rules.of_expressions(schema, path)
        if schema.get("format") == "byte":
            checks.append("rule.base64_text")
        if schema.get("x-kubernetes-list-type") == "map":
            names = ", ".join(f'"{python_name(name)}"' for name in schema["x-kubernetes-list-map-keys"])
            checks.append(f"rule.distinct({names})")
        plain = self._plain(schema, path, needs)
        return f"Annotated[{', '.join([plain, *dict.fromkeys(checks)])}]" if checks else plain

    def _plain(self, schema: Schema, path: str, needs: list[str]) -> str:
        if "enum" in schema:
            return f"Literal[{', '.join(map(json.dumps, schema['enum']))}]"
        if schema.get("x-kubernetes-int-or-string"):
            return "IntOrText"
        match schema.get("type"):
            case "string":
                return "Text"
            case "boolean":
                return "Flag"
            case "number":
                return "Number"
            case "integer":
                return "Int32" if schema.get("format") == "int32" else "Int64"
            case "array":
                return f"list[{self._type(schema['items'], f'{path}[]', needs)}]"
            case "object" if "additionalProperties" in schema:
                return f"dict[Text, {self._type(schema['additionalProperties'], f'{path}{{}}', needs)}]"
            case "object" if schema.get("x-kubernetes-preserve-unknown-fields"):
                return "dict[str, Any]"
        message = f"{path}: no type for {schema}"
        raise SystemExit(message)


def _shape_alone(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        return {
            key: _shape_alone(value)
            for key, value in schema.items()
            if key != "description" or not isinstance(value, str)
        }
    return [_shape_alone(item) for item in schema] if isinstance(schema, list) else schema
