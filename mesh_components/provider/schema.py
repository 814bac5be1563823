"""The package as Pulumi describes packages, from the arguments of the components.

Arguments that may be outputs in Python take eventual values in other languages too; all others are plain, since they
decide how many resources there are and what they are called.
https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from mesh_components.clusters.attached import AttachedCluster
from mesh_components.component import ComponentArgs
from mesh_components.discovery.reader import ReaderToken
from mesh_components.provider.served import PACKAGE, SERVED, Served, token
from mesh_components.provider.values import wire
from mesh_components.settings.base import Settings
from mesh_components.settings.schema import described, subclasses
from mesh_components.trust.root_ca import CaBundle

Shape = Mapping[str, Any]
"""A part of a JSON Schema."""
Spec = dict[str, Any]
"""A part of Pulumi's schema."""

CLUSTER_INPUT = "cluster"

_ANY = {"$ref": "pulumi.json#/Any"}
_LANGUAGES: Mapping[str, Spec] = {
    "csharp": {},
    "go": {},
    "java": {},
    "nodejs": {"packageName": "mesh-components"},
    "python": {},
}
_MODE: JsonSchemaMode = "validation"
_SCALARS = frozenset({"boolean", "integer", "number", "string"})


def package() -> Spec:
    """The schema of the whole package."""
    kubernetes = version("pulumi-kubernetes")
    models = [model for item in SERVED for model in (item.args, item.outputs)]
    _, joint = models_json_schema([(model, _MODE) for model in models], schema_generator=_Shapes)
    types = _Types(joint["$defs"], f"/kubernetes/v{kubernetes}/schema.json#/provider")
    resources = {item.token: types.resource(item) for item in SERVED}
    return {
        "name": PACKAGE,
        "displayName": "Mesh components",
        "version": version("mesh-components"),
        "description": "Multicluster Istio meshes from one small typed document",
        "keywords": ["pulumi", "istio", "kubernetes", "category/infrastructure", "kind/component"],
        "license": "Apache-2.0",
        "meta": {"moduleFormat": "(.*)"},
        "language": {name: {"respectSchemaVersion": True, **own} for name, own in _LANGUAGES.items()},
        "dependencies": [{"name": "kubernetes", "version": kubernetes}],
        "provider": {},
        "resources": resources,
        "types": dict(sorted(types.named.items())),
    }


class _Shapes(GenerateJsonSchema):
    """Says of what is no data which class it is of, where pydantic would give up."""

    def is_instance_schema(self, schema: Any) -> dict[str, Any]:
        return {"instance": schema["cls"].__name__}

    def callable_schema(self, schema: Any) -> dict[str, Any]:
        return {"instance": schema["type"]}

    def emit_warning(self, kind: Any, detail: str) -> None:
        """Defaults that are no JSON stay out."""


class _Types:
    """Turns shapes into types, and collects those that have a name."""

    def __init__(self, definitions: Mapping[str, Shape], provider: str) -> None:
        self.named: dict[str, Spec] = {}
        self._definitions = definitions
        self._models: dict[str, type] = {
            model.__name__: model for base in (Settings, ComponentArgs) for model in subclasses(base)
        }
        self._models[CaBundle.__name__] = CaBundle
        self._resources = {
            "Cluster": f"#/resources/{token(AttachedCluster)}",
            "Token": f"#/resources/{token(ReaderToken)}",
            "ProviderResource": provider,
        }
        self._enums: dict[tuple[str, tuple[str, ...]], str] = {}

    def resource(self, item: Served) -> Spec:
        """A component."""
        takes, needs = self._properties(item.args.__name__, item.args, item.omitted)
        if item.in_one_cluster:
            takes[CLUSTER_INPUT] = {
                "$ref": self._resources["Cluster"],
                "description": "The cluster that it is in; left out, that of the provider in the resource's options.",
            }
        gives, sure = self._properties(item.outputs.__name__, item.outputs)
        texts = described(item.component)
        for name in item.outputs.model_fields:
            spec = gives[wire(name)]
            if name in texts:
                spec.setdefault("description", texts[name])
            if name in item.secret_outputs:
                spec["secret"] = True
        return {
            "isComponent": True,
            "description": inspect.getdoc(item.component),
            "inputProperties": takes,
            "requiredInputs": needs,
            "properties": {name: _read(spec) for name, spec in gives.items()},
            "required": sure,
        }

    def _properties(
        self, name: str, model: type, omitted: frozenset[str] = frozenset()
    ) -> tuple[dict[str, Spec], list[str]]:
        """Properties, and which of them have to be there."""
        shape, attributes = self._definitions[name], _attributes(model)
        texts, secrets = described(model), _secrets(model)
        found: dict[str, Spec] = {}
        for key, part in shape.get("properties", {}).items():
            attribute = attributes[key]
            if attribute in omitted:
                continue
            spec = self._type(name, key, part)
            text = _told(texts.get(attribute) or part.get("description"), part)
            spec |= {"description": text} if text else {}
            spec |= {"secret": True} if attribute in secrets else {}
            found[wire(key)] = spec
        return found, sorted(wire(key) for key in shape.get("required", ()) if attributes[key] not in omitted)

    def _type(self, owner: str, name: str, shape: Shape) -> Spec:
        shapes, later = _choices(shape)
        # Outputs say nothing here of what they hold; the only ones that are not a choice beside it are PEMs.
        specs = [self._one(owner, name, item) for item in shapes] or [{"type": "string"}]
        known = [spec if later or _eventual(spec) else {**spec, "plain": True} for spec in specs]
        return known[0] if len(known) == 1 else {"oneOf": known, **({} if later else {"plain": True})}

    def _one(self, owner: str, name: str, shape: Shape) -> Spec:
        if "instance" in shape:
            return {"$ref": self._resources[shape["instance"]]}
        if "$ref" in shape:
            return self._object(shape["$ref"].rsplit("/", 1)[-1])
        if "enum" in shape or "const" in shape:
            return self._enum(owner, name, tuple(shape.get("enum") or (shape["const"],)))
        if shape.get("type") == "array":
            return {"type": "array", "items": self._type(owner, name, shape["items"])}
        if shape.get("type") == "object":
            values = shape.get("additionalProperties")
            return {
                "type": "object",
                "additionalProperties": self._type(owner, name, values) if isinstance(values, Mapping) else _ANY,
            }
        return {"type": shape["type"]} if shape.get("type") in _SCALARS else dict(_ANY)

    def _object(self, name: str) -> Spec:
        key = f"{PACKAGE}:index:{name}"
        if key not in self.named:
            self.named[key] = {}  # a type may hold itself
            properties, required = self._properties(name, self._models.get(name, BaseModel))
            self.named[key] = {
                "type": "object",
                "description": self._definitions[name].get("description"),
                "properties": properties,
                "required": required,
            }
        return {"$ref": f"#/types/{key}"}

    def _enum(self, owner: str, name: str, values: tuple[str, ...]) -> Spec:
        """One type for all fields of one name that take the same values."""
        if (name, values) not in self._enums:
            called = f"{owner.removesuffix('Settings').removesuffix('Args')}{wire(name)[0].upper()}{wire(name)[1:]}"
            self._enums[name, values] = called
            self.named[f"{PACKAGE}:index:{called}"] = {"type": "string", "enum": [{"value": value} for value in values]}
        return {"$ref": f"#/types/{PACKAGE}:index:{self._enums[name, values]}"}


def _choices(shape: Shape) -> tuple[list[Shape], bool]:
    """What a value can be, null left out, and whether it can be an output."""
    parts = shape.get("anyOf") or shape.get("oneOf")
    if parts is None:
        later = shape.get("instance") == "Output"
        return ([] if later or shape.get("type") == "null" else [shape]), later
    found = [_choices(part) for part in parts]
    return [shape for shapes, _ in found for shape in shapes], any(later for _, later in found)


def _eventual(spec: Spec) -> bool:
    """Whether it can always come from an output: a resource, or what one gives as a whole."""
    reference = str(spec.get("$ref", ""))
    return reference.startswith("#/resources/") or reference.endswith(("/provider", f":{CaBundle.__name__}"))


def _read(spec: Spec) -> Spec:
    """As an output has it: there nothing is plain."""
    return {key: _read(value) if isinstance(value, dict) else value for key, value in spec.items() if key != "plain"}


def _told(text: str | None, shape: Shape) -> str | None:
    default = shape.get("default")
    if default in (None, "") or isinstance(default, dict | list):
        return text
    said = f"Default: `{str(default).lower() if isinstance(default, bool) else default}`."
    return f"{text}\n{said}" if text else said


def _attributes(model: type) -> dict[str, str]:
    """Attributes by their names in JSON Schema."""
    if issubclass(model, BaseModel):
        return _Same({field.alias or name: name for name, field in model.model_fields.items()})
    return _Same()


class _Same(dict[str, str]):
    """What is not in it stands for itself."""

    def __missing__(self, key: str) -> str:
        return key


def _secrets(model: type) -> frozenset[str]:
    """What is left out when the arguments are printed."""
    return frozenset(_unprinted(model))


def _unprinted(model: type) -> Iterator[str]:
    if issubclass(model, BaseModel):
        yield from (name for name, field in model.model_fields.items() if not field.repr)
    elif dataclasses.is_dataclass(model):
        yield from (field.name for field in dataclasses.fields(model) if not field.repr)
