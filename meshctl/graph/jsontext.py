"""The picture for programs: the model as it is, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel

from meshctl.graph.model import Graph


def write(graph: Graph) -> str:
    """One JSON document; keys in camelCase, as in the mesh document."""
    return json.dumps(_camel(asdict(graph)), indent=2, ensure_ascii=False) + "\n"


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {to_camel(key): _camel(item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list | tuple) else value
