"""Names and values on their way from one language to another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
from pydantic.alias_generators import to_camel


def wire(name: str) -> str:
    """What an attribute is called in other languages."""
    return to_camel(name) if "_" in name else name


def part_of(whole: pulumi.Output[Any], key: str) -> pulumi.Output[Any]:
    """One value of a mapping, as secret as the whole."""
    return whole.apply(lambda values: values[key])


def text_of(value: Any) -> Any:
    """A text that may have become an object on its way, in any order: YAML programs read settings that are JSON."""
    if isinstance(value, pulumi.Output):
        return value.apply(text_of)
    return json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else value
