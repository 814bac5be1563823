"""Requests that move from one version of a service to another: the ways there, as rows of documents.

A canary gets more and more; blue/green is the same in one step of 100 percent. Nothing but weights changes: both
versions run before the first step and after the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mesh_components.settings import parse
from mesh_components.settings.traffic import RouteSettings, TrafficSettings
from mesh_components.topology.edits import with_key
from mesh_components.topology.meshes import full_host, holds_config
from mesh_components.topology.roles import members
from mesh_components.topology.steps import APPLY, Document, PlanError, Rollback, Step, beginning, checked
from mesh_components.topology.traffic import subsets

STEPS = (10, 50, 100)
"""Percent of the requests, where nobody says otherwise."""
_ALL = 100


def shift_plan(
    document: Mapping[str, Any], host: str, to: str, percents: Sequence[int] = STEPS, route: str | None = None
) -> tuple[Step, ...]:
    """The steps by which a subset gets the requests of a route. None where it has them already: a plan from the middle
    is the rest of the plan from the beginning.

    Args:
        document: the mesh document, in which the service has subsets and a route.
        host: of the service, as the document has it or in full.
        to: the subset that gets the requests.
        percents: how many at each step, each more than the one before.
        route: name of the route; left out, the one for all requests.

    Raises:
        PlanError: where there is no such service, subset or route, or the percents do not go up.
        FindingsError: where the document has errors.
    """
    if not percents or not all(0 < item <= _ALL for item in percents) or list(percents) != sorted(set(percents)):
        message = f"--steps: percent from 1 to 100, each more than the one before, and these are {list(percents)}"
        raise PlanError(message)
    start = beginning(document)
    return checked(start, _steps(start, host, to, percents, route))


def _steps(start: Document, host: str, to: str, percents: Sequence[int], route: str | None) -> Iterator[Step]:
    mesh = parse(start)
    at, service = _service(mesh.traffic, host)
    known = subsets(service, [cluster.name for cluster in members(mesh)])
    if to not in known:
        message = f"traffic[{at}]: {to!r} is no subset of {service.host}; it has {', '.join(known) or 'none'}"
        raise PlanError(message)
    number = _route(service, at, route)
    place = f"traffic[{at}].routes[{number}]"
    before, has = _now(service.routes[number], place, to)
    document = start
    for percent in percents:
        if percent <= has:
            continue
        after = _with_weights(document, at, number, {before: _ALL - percent, to: percent} if percent < _ALL else to)
        yield Step(
            f"{to}-{percent}",
            f"{to} gets {percent} percent of the requests to {service.host}",
            f"Proxies take the new weights within seconds, in all clusters, and finish the requests that they have. "
            f"{before} goes on running, so the way back is as short.",
            tuple(cluster.name for cluster in mesh.clusters if holds_config(cluster)),
            after,
            APPLY,
            (
                f"errors and times of {to} are as those of {before}: istio_requests_total and "
                "istio_request_duration_milliseconds by destination_version and source_cluster",
            ),
            Rollback(document, APPLY, f"requests go to {before} as before; none is lost"),
        )
        document = after


def _service(services: Sequence[TrafficSettings], host: str) -> tuple[int, TrafficSettings]:
    for at, service in enumerate(services):
        if full_host(service.host) == full_host(host):
            return at, service
    known = ", ".join(service.host for service in services) or "none"
    message = f"--host: the document's `traffic` has no {host}; it has {known}"
    raise PlanError(message)


def _route(service: TrafficSettings, at: int, name: str | None) -> int:
    for number, route in enumerate(service.routes):
        if route.name == name if name is not None else not route.match:
            return number
    wanted = f"no route is called {name}" if name is not None else "there is no route for all requests"
    message = f"traffic[{at}].routes: {wanted}; write one with `to`, or name another one with --route"
    raise PlanError(message)


def _now(route: RouteSettings, place: str, to: str) -> tuple[str, int]:
    """The subset that gives requests away, and the percent that the other one has already."""
    weights = route.to if isinstance(route.to, dict) else {route.to: _ALL} if route.to else {}
    others = [name for name, weight in weights.items() if name != to and weight]
    if len(others) > 1 or not weights:
        what = f"they go to {', '.join(others)}" if others else "it names no subset in `to`"
        message = f"{place}: one version gives its requests to another one, and here {what}; write {{<one>: 100}} first"
        raise PlanError(message)
    return (others[0] if others else to), weights.get(to, 0)


def _with_weights(document: Document, at: int, number: int, to: str | dict[str, int]) -> Document:
    services = list(document["traffic"])
    routes = list(services[at]["routes"])
    routes[number] = with_key(routes[number], "to", to, ("name", "match"))
    services[at] = {**services[at], "routes": routes}
    return {**document, "traffic": services}
