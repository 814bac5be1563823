"""One verification: call the application from everywhere, and find causes where an answer is missing."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from mesh_components.settings import Severity
from mesh_components.topology.applications import ambient
from mesh_components.topology.plan import Topology
from meshctl.check.document import Stated, stated
from meshctl.check.gather import Limits
from meshctl.check.look import look as check
from meshctl.check.state import applied
from meshctl.commands import choose
from meshctl.local.project import ProjectError, load
from meshctl.verify.asking import Asker
from meshctl.verify.causes import Known, causes
from meshctl.verify.requests import call, helloworld
from meshctl.verify.verdict import Verdict, suspects


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    stack: str
    cwd: Path = Path()
    state: Path | None = None
    engine: str | None = None
    requests: int = 20


def run(wish: Wish, asker: Asker | None = None) -> Verdict:
    """Verify a stack's mesh.

    Args:
        wish: the stack.
        asker: who has requests sent; by `exec` when left out.

    Raises:
        ProjectError: when there is no document, or one without HelloWorld.
    """
    project = load(wish.cwd, wish.stack)
    engine, _ = choose(wish.engine, shutil.which("pulumi"))
    said = stated(project, applied(project, engine, wish.state).kubeconfigs)
    topology = _decided(said)
    settings = helloworld(topology.mesh, project.stack_file)
    calls, there = call(topology.mesh, settings.namespace, said.kubeconfigs, wish.requests, asker)
    pairs = suspects(calls.asked, calls.placed)
    if not pairs:
        return Verdict(calls)
    results = check(project, engine, wish.state, Limits()).results
    known = Known(topology, results, there, calls.placed, sidecars=not ambient(topology.mesh, settings))
    return Verdict(calls, tuple(causes(known, pairs)))


def _decided(said: Stated) -> Topology:
    if said.topology is None:
        raise ProjectError("\n".join(str(one) for one in said.findings if one.severity is Severity.ERROR))
    return said.topology
