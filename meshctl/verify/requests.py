"""One round: HelloWorld is called by the client of every cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from mesh_components.services.helloworld import PORT
from mesh_components.settings import MeshSettings
from mesh_components.settings.applications import HelloWorldSettings
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError
from mesh_components.topology.applications import places
from mesh_components.topology.roles import members
from meshctl.local.model import Unreachable
from meshctl.local.project import ProjectError
from meshctl.local.providers.kubernetes.transport import Transport
from meshctl.verify.answers import Asked, Round, Target, read
from meshctl.verify.asking import Asker, CannotAskError, Exec, PretendedError
from meshctl.verify.there import There, look

T = TypeVar("T")
Kubeconfigs = Mapping[str, Kubeconfig | KubeconfigError]
"""By cluster, or why there is none."""


def helloworld(mesh: MeshSettings, stack_file: Path) -> HelloWorldSettings:
    """What is called. Raises ProjectError where the document has no such thing."""
    settings = mesh.applications.helloworld
    if settings is None:
        message = (
            f"{stack_file}: the document has no HelloWorld to call; add `applications: {{helloworld: {{}}}}`, then "
            "`mesh up`"
        )
        raise ProjectError(message)
    return settings


def call(
    mesh: MeshSettings, namespace: str, kubeconfigs: Kubeconfigs, times: int, asker: Asker | None = None
) -> tuple[Round, Mapping[str, There]]:
    """Call it from everywhere; also what there is of it, by cluster.

    Args:
        mesh: the document.
        namespace: where HelloWorld is.
        kubeconfigs: how clusters are reached.
        times: how many requests each client sends.
        asker: who has them sent; by `exec` when left out.
    """
    placed = tuple(sorted(Target(v, c) for v, where in places(mesh, "helloworld").items() for c in where))
    ways = {cluster.name: _way(cluster.name, kubeconfigs) for cluster in members(mesh)}
    url = f"http://helloworld.{namespace}:{PORT}/hello"
    there = _each(ways, lambda name, way: _look(name, way, namespace))
    pods = {pod: name for name, part in there.items() for pod in part.pods}

    def ask(name: str, way: Transport | str) -> Asked:
        lines = _ask(there[name], way, asker or Exec(), url, times)
        return lines if isinstance(lines, Asked) else read(name, lines, pods, placed)

    return Round(url, times, placed, tuple(_each(ways, ask).values())), there


def _way(cluster: str, kubeconfigs: Kubeconfigs) -> Transport | str:
    """How a cluster is reached, or why it is not."""
    config = kubeconfigs.get(cluster)
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
