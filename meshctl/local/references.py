"""Outputs of other stacks of the local engine (`pulumi.StackReference`), out of their states.

A state is looked for beside this stack's own, and in the folders of `MESH_STATES`: each a `.pulumi-local` of another
project. It is read and never written, and it is opened with this run's passphrase. Nobody waits for a lock: a state is
replaced as a whole, so what is read is what one run has left.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from meshctl.local.passphrase import Crypter, PassphraseError, from_environment
from meshctl.local.state import STACK, StateError, Store

FOLDERS = "MESH_STATES"
"""Environment variable: folders with states of other projects, separated as in PATH."""

Outputs = tuple[Mapping[str, Any], frozenset[str]]
"""What a stack exports, and the names of what is secret of it."""


class References:
    """Other stacks, as one stack sees them."""

    def __init__(self, own: Path, project: str) -> None:
        """`own` is the state of the stack that asks, which is of the project `project`."""
        self._project = project
        self._folders = [own.parent.parent, *_named()]

    def outputs(self, name: str) -> Outputs:
        """What a stack exports: `organization/project/stack`, `project/stack`, or `stack` of the same project. Raises
        StateError."""
        project, stack = ([self._project, *name.split("/")])[-2:]
        where = [folder / project / f"{stack}.json" for folder in self._folders]
        found = next((path for path in where if path.is_file()), None)
        if found is None or "" in (project, stack):
            raise StateError(
                f"the stack {name} has no state of the local engine here, looked for {' and '.join(map(str, where))}; "
                f"run `mesh up` over there first, or name its project's folder `.pulumi-local` in {FOLDERS}; the state "
                "of a stack that Pulumi applies is read by Pulumi alone"
            )
        return _outputs(found, f"{project}/{stack}")


def _outputs(path: Path, identity: str) -> Outputs:
    phrase = from_environment()
    store = Store(path, identity, lambda salt: Crypter(phrase, salt, str(path)))
    try:
        store.load()
    except PassphraseError as error:
        raise StateError(f"the outputs of the stack {identity} cannot be opened: {error}") from None
    record = next((item for item in store.records.values() if item.type == STACK), None)
    if record is None:
        raise StateError(f"the stack {identity} exports nothing ({path}); run `mesh up` over there to its end")
    return record.outputs, record.secret_outputs


def _named() -> Iterator[Path]:
    return (Path(text).expanduser() for text in os.environ.get(FOLDERS, "").split(os.pathsep) if text)
