"""From plain data to settings, every mistake in its shape reported as a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from mesh_components.settings.findings import Finding, FindingsError, Severity
from mesh_components.settings.mesh import MeshSettings

_PASTED = ("-----BEGIN ", "LS0tLS1CRUdJTi", "eyJhbGciOi", "kind: Config", '"kind": "Config"')
"""How a PEM block, the same in base64, a service account token and a kubeconfig begin: none belongs in a document."""

_LONGEST_KEY = 63


def parse(document: Any) -> MeshSettings:
    """Read a mesh document.

    Args:
        document: the value of the stack setting `mesh`, as YAML or JSON gives it.

    Raises:
        FindingsError: with MESH001 for each key that is unknown, missing or of the wrong type, MESH002 when there is no
            document, MESH003 for each secret that stands in it.
    """
    if not isinstance(document, Mapping):
        raise FindingsError([_absent(document)])
    pasted = [_pasted(where) for where in sorted(set(_secrets_in(document)))]
    try:
        settings = MeshSettings.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        raise FindingsError([*map(_shape, error.errors()), *pasted]) from None
    if pasted:
        raise FindingsError(pasted)
    return settings


def place(loc: tuple[Any, ...]) -> str:
    """`("clusters", 1, "network")` as people write it: `clusters[1].network`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{_key(part)}" if text else _key(part)
    return text or "(document)"


def _key(key: object) -> str:
    """A key as it may be printed: what is too long for one may be a secret in the place of a key."""
    text = str(key)
    return text if len(text) <= _LONGEST_KEY and text.isprintable() else "(unprintable key)"


def _shape(error: Any) -> Finding:
    unknown = error["type"] == "extra_forbidden"
    reason = "this key is unknown" if unknown else error["msg"]
    fix = "remove it or correct its spelling" if unknown else "give a value of that kind"
    fix += "; `mesh schema` prints what is allowed"
    return Finding("MESH001", Severity.ERROR, place(error["loc"]), reason, fix)


def _absent(document: Any) -> Finding:
    what = "there is no mesh document" if document is None else f"the mesh document is a {type(document).__name__}"
    return Finding(
        "MESH002",
        Severity.ERROR,
        "(document)",
        f"{what}, so there is nothing to build",
        "set `mesh:mesh` to a mapping in the stack file; stacks/ has one for each recipe",
    )


def _pasted(where: str) -> Finding:
    return Finding(
        "MESH003",
        Severity.ERROR,
        where,
        "a secret stands in the document, where everyone who reads the stack file reads it too",
        "take it out, replace it (it is known now), and name where it is: a file, an environment variable, or a secret "
        "stack setting",
    )


def _secrets_in(document: Mapping[Any, Any]) -> Iterator[str]:
    """Places of pasted secrets. A loop and not a recursion: YAML can nest without end, and anchors can make circles."""
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), document)]
    seen: set[int] = set()
    while waiting:
        loc, value = waiting.pop()
        if isinstance(value, str) and any(mark in value for mark in _PASTED):
            yield place(loc)
        elif isinstance(value, Mapping | list | tuple) and id(value) not in seen:
            seen.add(id(value))
            items = value.items() if isinstance(value, Mapping) else enumerate(value)
            waiting.extend(((*loc, key), item) for key, item in items)
            waiting.extend(((*loc, key), key) for key in value if isinstance(value, Mapping) and isinstance(key, str))
