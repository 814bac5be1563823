"""What a stack exports, as either engine has it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from meshctl.commands import choose
from meshctl.local.project import Project
from meshctl.local.session import state_file
from meshctl.local.state import public_outputs as of_state
from meshctl.progress import Lines


def public_outputs(project: Project, engine: str | None, state: Path | None) -> dict[str, Any]:
    """The outputs of the last `up`, without those that are secret: so without any key. Raises StateError."""
    chosen, _ = choose(engine, shutil.which("pulumi"))
    if chosen == "local":
        return of_state(state_file(project, state), f"{project.name}/{project.stack}")
    from meshctl.automation import outputs

    return outputs(project, Lines())
