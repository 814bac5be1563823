"""The door to dynamic providers: their classes out of the pickles that the SDK makes, and the values they are given."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dill  # type: ignore[import-untyped]
from pulumi import dynamic
from pulumi.runtime import rpc
from pulumi.runtime._serialization import _deserialize

from meshctl.local import sdk
from meshctl.local.model import UNKNOWN


def load(code: str, folder: str, config: Mapping[str, str], project: str) -> Any:
    """Return the provider that `code` is the pickle of, configured; the modules it names may lie in `folder`."""
    with _first_on_path(folder):
        provider = _deserialize(lambda: dill.loads(base64.b64decode(code)))  # noqa: S301 (the program's own code)
    provider.configure(dynamic.ConfigureRequest(dynamic.Config(dict(config), project)))
    return provider


def handed(value: Any) -> Any:
    """Return plain values as Pulumi's host hands them to a class: every number has a fraction, since the wire knows no
    other, and what is not known yet has the SDK's mark."""
    if isinstance(value, Mapping):
        return {key: handed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [handed(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return rpc.UNKNOWN if value is UNKNOWN else value


def unmarked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a provider answers as it comes over the wire: without what is None, and with whole numbers whole."""
    return sdk.plain(sdk.struct(values, frozenset()))[0]


@contextmanager
def _first_on_path(folder: str) -> Iterator[None]:
    """The SDK's host of dynamic providers runs where the program does; here the program may not have run at all."""
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
