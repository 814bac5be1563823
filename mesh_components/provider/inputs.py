"""From what crosses over to the arguments that Python programs use.

What may be an output stays one, with its secrecy and what it depends on. All else decides what is made, so it has to be
known, also in a preview, and no secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pulumi
from pulumi.errors import InputPropertyError

from mesh_components.component import ComponentArgs
from mesh_components.provider.references import referred
from mesh_components.provider.schema import CLUSTER_INPUT, Spec
from mesh_components.provider.values import part_of, text_of, wire
from mesh_components.trust.root_ca import CaBundle

_RESOURCES = "#/resources/"


async def arguments(model: type[ComponentArgs], specs: Mapping[str, Spec], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by their names in Python, and the cluster that the component is in.

    Raises `InputPropertyError` for what cannot be used, with its path.
    """
    names = {wire(name): name for name in (*model.model_fields, CLUSTER_INPUT)}
    return {
        names.get(key, key): await _taken(specs.get(key, {}), value, key)
        for key, value in inputs.items()
        if value is not None
    }


async def _taken(spec: Spec, value: Any, path: str) -> Any:
    reference = str(spec.get("$ref", ""))
    if reference.startswith(_RESOURCES):
        return await referred(reference.removeprefix(_RESOURCES), await settled(value, path), path)
    if reference.endswith(f":{CaBundle.__name__}"):
        return _bundle(pulumi.Output.from_input(value))
    if not spec.get("plain"):
        value = value if isinstance(value, pulumi.Output) else await settled(value, path)
        return text_of(value) if spec.get("type") == "string" else value
    values = spec.get("additionalProperties")
    if values is None or values.get("plain"):
        return await settled(value, path)
    if isinstance(value, pulumi.Output):
        if not await value.is_known():
            return value
        value = {key: part_of(value, key) for key in await value.future() or {}}
    return {key: await _taken(values, item, f"{path}.{key}") for key, item in value.items()}


async def settled(value: Any, path: str) -> Any:
    """A value that decides something, in plain."""
    if isinstance(value, pulumi.Output):
        if not await value.is_known():
            raise _unknown(path)
        if await value.is_secret():
            raise InputPropertyError(path, "it is secret, and would be in clear in what is made of it")
        return await settled(await value.future(), path)
    if isinstance(value, Mapping):
        return {key: await settled(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [await settled(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if pulumi.contains_unknowns(value):
        raise _unknown(path)
    # On the way here every number is one with a point.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _bundle(whole: pulumi.Output[Any]) -> CaBundle:
    names = [item.name for item in fields(CaBundle)]
    parts = {name: part_of(whole, wire(name)) for name in names}
    return CaBundle(**{**parts, "ca_key": pulumi.Output.secret(parts["ca_key"])})


def _unknown(path: str) -> InputPropertyError:
    return InputPropertyError(
        path, "it decides what is made, and is known only after something else is; write it down, or take a setting"
    )
