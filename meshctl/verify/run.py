"""One verification: look at the application, ask its clients, and find causes where an answer is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mesh_components.services.helloworld import PORT
from mesh_components.settings import MeshSettings, Severity
from mesh_components.settings.applications import HelloWorldSettings
from mesh_components.settings.kubeconfig import Kubeconfig
from mesh_components.topology.applications import ambient, places
from mesh_components.topology.plan import Topology
from mesh_components.topology.roles import members
from meshctl.check.document import Stated, stated
from meshctl.check.gather import Limits
from meshctl.check.look import look as check
from meshctl.check.state import applied
from meshctl.commands import choose
from meshctl.local.model import Unreachable
from meshctl.local.project import Project, ProjectError, load
from meshctl.local.providers.kubernetes.transport import Transport
from meshctl.verify.answers import Asked, Target, read
from meshctl.verify.asking import Asker, CannotAskError, Exec, PretendedError
from meshctl.verify.causes import Known, causes
from meshctl.verify.there import There, look
from meshctl.verify.verdict import Verdict, suspects

T = TypeVar("T")


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
    mesh = topology.mesh
    settings = _helloworld(project, mesh)
    placed = tuple(sorted(Target(v, c) for v, where in places(mesh, "helloworld").items() for c in where))
    ways = {cluster.name: _way(cluster.name, said) for cluster in members(mesh)}
    url = f"http://helloworld.{settings.namespace}:{PORT}/hello"
    there = _each(ways, lambda name, way: _look(name, way, settings.namespace))
    pods = {pod: name for name, part in there.items() for pod in part.pods}

    def ask(name: str, way: Transport | str) -> Asked:
        lines = _ask(there[name], way, asker or Exec(), url, wish.requests)
        return lines if isinstance(lines, Asked) else read(name, lines, pods, placed)

    asked = tuple(_each(ways, ask).values())
    pairs = suspects(asked, placed)
    if not pairs:
        return Verdict(url, wish.requests, placed, asked)
    results = check(project, engine, wish.state, Limits()).results
    known = Known(topology, results, there, placed, sidecars=not ambient(mesh, settings))
    return Verdict(url, wish.requests, placed, asked, tuple(causes(known, pairs)))


def _decided(said: Stated) -> Topology:
    if said.topology is None:
        raise ProjectError("\n".join(str(one) for one in said.findings if one.severity is Severity.ERROR))
    return said.topology


def _helloworld(project: Project, mesh: MeshSettings) -> HelloWorldSettings:
    settings = mesh.applications.helloworld
    if settings is None:
        message = (
            f"{project.stack_file}: the document has no HelloWorld to call; add `applications: {{helloworld: {{}}}}`, "
            "then `mesh up`"
        )
        raise ProjectError(message)
    return settings


def _way(cluster: str, said: Stated) -> Transport | str:
    """How a cluster is reached, or why it is not."""
    config = said.kubeconfigs.get(cluster)
    if isinstance(config, Kubeconfig):
        return Transport(cluster, config.contents, config.context)
    return str(config or "nothing says how it is reached")


def _each(ways: Mapping[str, Transport | str], work: Callable[[str, Transport | str], T]) -> dict[str, T]:
    """All clusters at a time, in the order of the document."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(ways, pool.map(work, ways, ways.values()), strict=True))


def _look(name: str, way: Transport | str, namespace: str) -> There:
    return There(name, unread=way) if isinstance(way, str) else look(name, way, namespace)


def _ask(there: There, way: Transport | str, asker: Asker, url: str, times: int) -> Sequence[str] | Asked:
    """What the client got, a line a request, or why it was not asked."""
    if isinstance(way, str) or there.unread:
        return Asked(there.cluster, unasked=there.unread or str(way))
    if there.client is None:
        return Asked(
            there.cluster, unasked="no pod with curl is ready; see `applications.helloworld.client`, `mesh up`"
        )
    try:
        return asker.ask(way, there.client, url, times)
    except PretendedError as pretended:
        return Asked(there.cluster, unasked=str(pretended), pretended=True)
    except (CannotAskError, Unreachable) as error:
        return Asked(there.cluster, unasked=str(error))
