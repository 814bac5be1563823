"""The picture for programs: the model as it is, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pydantic.alias_generators import to_camel

from meshctl.graph.model import Graph
from meshctl.graph.scene import NOTHING, Owner, Part


def write(graph: Graph, parts: Mapping[Owner, Part] = NOTHING) -> str:
    """One JSON document; keys in camelCase, as in the mesh document. Where somebody has looked what changes, or what is
    there, `states` has it: an entry for each cluster with its gateways, for each pair of discovery, and for each way to
    istiod."""
    told = {"states": [one for item in parts.items() if any(item[0]) for one in _states(*item)]} if parts else {}
    return json.dumps({**_camel(asdict(graph)), **told}, indent=2, ensure_ascii=False) + "\n"


def _states(key: Owner, part: Part) -> Iterator[dict[str, Any]]:
    if part.control:
        yield {"served": key[0], "server": key[1], "state": part.control}
    if not part.control or part != Part(control=part.control):
        gateways = {gateway.name: state for gateway, state in part.gateways.items()}
        yield {**_state(key, part), **({"gateways": gateways} if gateways else {})}


def _state(key: Owner, part: Part) -> dict[str, Any]:
    one, other = key
    whose = {"reader": one, "source": other} if other else {"cluster": one}
    things = [{"name": item.name, "type": item.type, "state": item.state, "what": item.what} for item in part.things]
    return {**whose, "state": part.state, "note": part.note, "resources": things}


def _camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {to_camel(key): _camel(item) for key, item in value.items()}
    return [_camel(item) for item in value] if isinstance(value, list | tuple) else value
