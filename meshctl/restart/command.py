"""The command: which clusters, what is found, whether to go on, and what came of it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from mesh_components.settings import MeshSettings
from meshctl import display
from meshctl.document import kubeconfigs
from meshctl.document import mesh as read_mesh
from meshctl.interrupts import interruptible
from meshctl.local.model import Unreachable
from meshctl.local.project import ProjectError, load
from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.local.providers.kubernetes.errors import ApiError, explain
from meshctl.local.providers.kubernetes.transport import Transport
from meshctl.progress import Lines, Terminal
from meshctl.restart.find import Found, look
from meshctl.restart.proxies import Injectors, injectors
from meshctl.restart.roll import Outcome, Roller

_GOES_ON = "what rolls goes on by itself, nothing new begins"
AMBIENT = (
    "ambient: pods have no proxy of their own and need no restart; ztunnel, waypoints and gateways of the Gateway API "
    "follow their control plane"
)


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    clusters: tuple[str, ...] = ()
    namespace: str | None = None
    yes: bool = False
    dry_run: bool = False
    as_json: bool = False
    keep_going: bool = False
    timeout: float = 600


@dataclass(frozen=True)
class _Place:
    cluster: Cluster
    injectors: Injectors
    found: Found


def run(stack: str, cwd: Path, wish: Wish) -> int:
    """Find, show, ask, restart; the exit code. Raises what `commands.UserError` names."""
    project = load(cwd, stack)
    mesh = read_mesh(project)
    chosen = _chosen(mesh, wish.clusters)
    configs = kubeconfigs(project, chosen, mesh)
    if mesh.istio.data_plane != "sidecar":
        click.echo(AMBIENT, err=True)
    places = []
    for name, config in configs.items():
        cluster = Cluster(name, Transport(name, config.contents, config.context))
        places.append(_look(cluster, injectors(mesh, name), wish.namespace))
    old = [entry for place in places for entry in place.found.old]
    if not wish.as_json:
        _print(places)
    agreed = not wish.dry_run and bool(old) and (wish.yes or click.confirm("\nRestart them?", err=True))
    stop = threading.Event()
    outcomes = _restart(places, wish, stop) if agreed else []
    if wish.as_json:
        display.print_json(_data(places, outcomes))
    elif agreed:
        _print_end(outcomes)
    declined = bool(old) and not agreed and not wish.dry_run
    failures = [f"{item}: {why}" for outcome in outcomes for item, why in outcome.failed.items()]
    display.print_failures([*failures, *(["nothing was changed, as you did not agree"] if declined else ())])
    if stop.is_set():
        return 130
    return int(bool(failures) or declined)


def _chosen(mesh: MeshSettings, names: Sequence[str]) -> dict[int, str]:
    """Names by position of the clusters that were asked for; of all when none was. An external control plane's cluster
    is among them: the gateway in front of it has a proxy."""
    known = {index: cluster.name for index, cluster in enumerate(mesh.clusters)}
    for name in names:
        if name not in known.values():
            message = f'--cluster: the mesh has no cluster "{name}"; it has {", ".join(known.values())}'
            raise ProjectError(message)
    return {index: name for index, name in known.items() if not names or name in names}


def _look(cluster: Cluster, here: Injectors, namespace: str | None) -> _Place:
    try:
        return _Place(cluster, here, look(cluster, here, namespace))
    except ApiError as error:
        if error.code == 404 and namespace:  # namespaces need not be in every cluster
            return _Place(cluster, here, Found((), (), 0))
        raise ProjectError(explain(cluster.label, error)) from error
    except Unreachable as error:
        raise ProjectError(str(error)) from error


def _restart(places: Sequence[_Place], wish: Wish, stop: threading.Event) -> list[Outcome]:
    """Cluster by cluster, so that a service that several have stays up in the others. Ctrl-C sets `stop`."""
    outcomes: list[Outcome] = []
    with Terminal() if sys.stderr.isatty() else Lines() as progress, interruptible(stop, progress.warn, _GOES_ON):
        for place in places:
            if not place.found.old:
                continue
            if stop.is_set() or (any(outcome.failed for outcome in outcomes) and not wish.keep_going):
                outcomes.append(Outcome(not_begun=[entry.workload for entry in place.found.old]))
                continue
            roller = Roller(place.cluster, place.injectors, progress, stop, wish.timeout)
            outcomes.append(roller.run(place.found.old, keep_going=wish.keep_going))
    return outcomes


def _print(places: Sequence[_Place]) -> None:
    for place in places:
        found = place.found
        click.secho(place.cluster.label, bold=True)
        for entry in found.old:
            item = entry.workload
            runs, wanted = (" and ".join(sorted(map(str, proxies))) for proxies in (entry.runs, entry.wanted))
            pods = f"{entry.pods} pod{'' if entry.pods == 1 else 's'}"
            click.echo(f"   ~ {item.kind}  {item.namespace}/{item.name}  {pods}: {runs} -> {wanted}")
        for left in found.left:
            item = left.workload
            click.secho(f"   ! {item.kind}  {item.namespace}/{item.name}  left alone: {left.why}", fg="yellow")
        if not found.old:
            click.echo(
                f"   nothing to restart: {found.pods} pods have a proxy"
                + (", those left alone among them" * bool(found.left))
            )
    click.echo(f"{sum(len(place.found.old) for place in places)} to restart")


def _print_end(outcomes: Sequence[Outcome]) -> None:
    counts = {
        "restarted": sum(len(outcome.done) for outcome in outcomes),
        "failed": sum(len(outcome.failed) for outcome in outcomes),
        "not begun": sum(len(outcome.not_begun) for outcome in outcomes),
    }
    click.echo(", ".join(f"{count} {word}" for word, count in counts.items() if count or word == "restarted"))


def _data(places: Sequence[_Place], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "old": [entry.data() for place in places for entry in place.found.old],
        "left": [left.data() for place in places for left in place.found.left],
        "restarted": [vars(item) for outcome in outcomes for item in outcome.done],
        "failed": [{**vars(item), "why": why} for outcome in outcomes for item, why in outcome.failed.items()],
        "notBegun": [vars(item) for outcome in outcomes for item in outcome.not_begun],
    }
