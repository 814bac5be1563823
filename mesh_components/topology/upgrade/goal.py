"""Where an upgrade goes, and which ways are refused.

A canary may skip one minor, an upgrade in place none (https://istio.io/latest/docs/setup/upgrade/canary/ and
https://istio.io/latest/docs/setup/upgrade/in-place/).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mesh_components.settings import MeshSettings
from mesh_components.topology.images import pinned
from mesh_components.topology.names import UNNAMED_REVISION
from mesh_components.topology.revisions import Revision, all_revisions
from mesh_components.topology.rules.context import quoted
from mesh_components.topology.rules.names import DNS_LABEL
from mesh_components.topology.steps import PlanError
from mesh_components.topology.versions import LONGEST_JUMP, apart, parse

IN_PLACE_MINORS = 1


@dataclass(frozen=True)
class Goal:
    """The one control plane that the mesh has in the end."""

    name: str
    version: str
    in_place: bool = False
    """True: there can be no second control plane beside the first."""
    canary: str | None = None
    """Name of the cluster that goes first."""


def goal(mesh: MeshSettings, to: str, revision: str | None, canary: str | None) -> Goal | None:
    """Decide where to go; None where the mesh is there.

    Raises:
        PlanError: where the plan is refused.
    """
    if mesh.istio.install == "none":
        raise PlanError(
            "istio.install: `none` says that something else installs Istio here, so something else upgrades it; do it "
            "there, then set istio.version to what runs"
        )
    if parse(to) is None:
        raise PlanError(f"{quoted(to)} is no version of Istio; write all three numbers without a v, such as 1.30.4")
    if canary is not None and canary not in {cluster.name for cluster in mesh.clusters}:
        raise PlanError(f"the mesh has no cluster {quoted(canary)}, so it cannot go first; name one of its clusters")
    there = all_revisions(mesh)
    in_place = any(cluster.role == "external" for cluster in mesh.clusters)
    name = _in_place_name(mesh, revision) if in_place else _name(mesh, to, revision)
    _refuse_going_back(mesh, there, to)
    at = {item.name: item.version for item in there}
    if set(at.items()) == {(name, to)} and mesh.istio.version == to and mesh.istio.revision == name:
        return None
    _refuse_pinned(mesh)
    _refuse_long_way(there, to, IN_PLACE_MINORS if in_place else LONGEST_JUMP)
    if not in_place:
        _refuse_name(mesh, name, at, to)
    return Goal(name, to, in_place, canary)


def sort_key(version: str) -> tuple[tuple[int, int, int], bool, list[tuple[bool, int, str]]]:
    """Orders versions: by their numbers, and what precedes a release before it, `1.31.0-rc.0` before `1.31.0`."""
    numbers = parse(version) or (0, 0, 0)
    suffix = version.partition("-")[2]
    parts = [part for part in re.split(r"[.-]", suffix) if part]
    return numbers, not suffix, [(not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _name(mesh: MeshSettings, to: str, revision: str | None) -> str:
    """As asked; else that of a control plane which has the version already; else the version's own."""
    if revision is not None:
        return revision
    named = re.sub(r"[.+]", "-", to).lower()
    there = [item.name for item in all_revisions(mesh) if item.version == to]
    for known in (named, mesh.istio.revision, *there):
        if known in there:
            return known
    return named


def _in_place_name(mesh: MeshSettings, revision: str | None) -> str:
    if revision is not None and revision != mesh.istio.revision:
        raise PlanError(
            "--revision: an external control plane has one revision at a time, so this upgrade is in place and the "
            f"revision keeps its name, {quoted(mesh.istio.revision)}; leave --revision out"
        )
    return mesh.istio.revision


def _refuse_going_back(mesh: MeshSettings, there: tuple[Revision, ...], to: str) -> None:
    stated = {f'revision "{item.name}"' if item.name else "the revision without a name": item.version for item in there}
    for what, version in {"istio.version": mesh.istio.version, **stated}.items():
        if sort_key(version) > sort_key(to):
            raise PlanError(
                f"{what} is at {version} already, which is newer than {to}, and there is no plan that goes back: CRDs "
                "would lose fields. To leave an upgrade that is under way, go back through the documents of its steps; "
                "else give a version that is not older"
            )


def _refuse_pinned(mesh: MeshSettings) -> None:
    for _, place, tag in pinned(mesh):
        raise PlanError(
            f"{place}: this pins images{f' to {quoted(tag)}' if tag else ''} in every revision, so the canary would be "
            "the old version under a new name, and the old one would change with it; take it out (`hub` alone says in "
            "which registry the images of each version are), apply that, and plan again"
        )


def _refuse_long_way(there: tuple[Revision, ...], to: str, most: int) -> None:
    target = parse(to) or (0, 0, 0)
    for item in there:
        here = parse(item.version) or target
        if apart(here, target) > most:
            way = "in place skips no minor" if most == IN_PLACE_MINORS else "a canary skips one minor at most"
            raise PlanError(
                f"from {item.version} to {to} is too far for one upgrade: {way}; go to a release of "
                f"{here[0]}.{here[1] + most} first"
            )


def _refuse_name(mesh: MeshSettings, name: str, at: dict[str, str], to: str) -> None:
    if not name and at.get(name) != to:
        raise PlanError("--revision: the new control plane needs a name to stand beside the old one, such as 1-31-0")
    if name and (not DNS_LABEL.fullmatch(name) or name == UNNAMED_REVISION):
        raise PlanError(
            f"--revision: {quoted(name)} cannot be the name of a revision: it ends a Service's name, istiod-<name>, "
            f"and `{UNNAMED_REVISION}` means the one without a name; use lower-case letters, digits and inner dashes"
        )
    if at.get(name, to) != to:
        raise PlanError(
            f"--revision: {quoted(name)} is there already at {at[name]}, and an upgrade in its place would have no way "
            "back; give the new control plane a name of its own, or leave --revision out"
        )
    if any(name in tags for tags in (mesh.istio.tags, *(cluster.tags for cluster in mesh.clusters))):
        raise PlanError(
            f"--revision: {quoted(name)} is the name of a tag, and namespaces could not tell one from the other; give "
            "another name"
        )
