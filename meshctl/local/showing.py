"""What of values and errors may be shown: no secrets, and of a traceback what is the program's own."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from meshctl.local.model import UNKNOWN
from meshctl.local.values import SECRET, split_path, strings


def is_hidden(path: str, secret: frozenset[str]) -> bool:
    """Whether a field belongs to a secret property."""
    return bool(path) and str(split_path(path)[0]) in secret


def shown(value: Any, hide: bool) -> Any:
    """A value as a report has it: without what is secret."""
    if value is None:
        return None
    if hide:
        return SECRET
    if value is UNKNOWN:
        return repr(value)
    if isinstance(value, Mapping):
        return {key: shown(item, hide) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item, hide) for item in value]
    return value


def secret_texts(value: str) -> Iterator[str]:
    """All texts in which a secret setting may show up: itself, and those within it, where it is JSON."""
    yield value
    try:
        yield from strings(json.loads(value))
    except ValueError:
        return


def trace(error: BaseException, folder: Path) -> str:
    """The traceback from the program's own first frame on; what is below is the engine's and the SDK's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [index for index, frame in enumerate(frames) if Path(frame.filename).is_relative_to(folder)]
    lines = traceback.format_list(frames[own[0] :] if own else frames)
    return "".join([*lines, *traceback.format_exception_only(error)]).rstrip()
