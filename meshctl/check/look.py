"""One look at a stack's mesh: read the document and the state, ask the clusters, judge."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from meshctl.check.document import stated
from meshctl.check.facts import Facts
from meshctl.check.gather import Gathering, Limits
from meshctl.check.report import Report, report
from meshctl.check.state import applied
from meshctl.local.project import Project


def look(project: Project, engine: str, state: Path | None, limits: Limits) -> Report:
    """The report of now.

    Args:
        project: the stack.
        engine: whose state it has, `local` or `pulumi`.
        state: another file than the local engine's usual one.
        limits: how long, and how much at a time.

    Raises:
        ProjectError: when the stack has no document.
    """
    known = applied(project, engine, state)
    said = stated(project, known.kubeconfigs)
    if said.topology is None:
        return report(Facts(None, said.findings, datetime.now(UTC), known.anything))
    return report(Gathering(said.topology, said.kubeconfigs, known, limits).run(said.findings))
