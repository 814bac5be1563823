"""The steps of a rotation, from wherever the document is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from mesh_components.settings import MeshSettings, parse
from mesh_components.topology.edits import REMOVED, with_key
from mesh_components.topology.plan import plan
from mesh_components.topology.rotate import tokens, words
from mesh_components.topology.rotation import Position, position
from mesh_components.topology.steps import APPLY, RESTART, Document, PlanError, Rollback, Step, beginning, checked

Subject = Literal["root", "intermediate", "tokens", "kiali-tokens"]

_MESH = ("id", "trustDomain", "istio")
_TRUST = (
    "algorithm",
    "rootValidityDays",
    "intermediateValidityDays",
    "organization",
    "protectRoot",
    "source",
    "rootSerial",
    "intermediateSerials",
    "multiRoot",
    "rotation",
)
"""How the keys follow each other."""


def rotation_plan(document: Mapping[str, Any], what: Subject, clusters: tuple[str, ...] = ()) -> tuple[Step, ...]:
    """The steps that replace the root, signing certificates, or the tokens of discovery or of Kiali.

    Args:
        document: the mesh document; in the middle of a rotation the rest of it is planned.
        what: is replaced.
        clusters: whose signing certificates, or with whose tokens they are read; all when left out.

    Raises:
        FindingsError: where the document itself has errors.
        PlanError: where a step would make a document with errors, or there is nothing to replace.
    """
    start = beginning(document)
    if what == "tokens":
        return checked(start, tokens.replace(start, clusters))
    if what == "kiali-tokens":
        return checked(start, tokens.replace_kiali(start, clusters))
    return checked(start, _root(start) if what == "root" else _intermediates(start, clusters))


def _root(document: Document) -> Iterator[Step]:
    mesh = parse(document)
    everywhere = tuple(cluster.name for cluster in mesh.clusters)
    if not mesh.trust.multi_root:
        step = _multi_root(document, mesh, everywhere)
        yield step
        document = step.document
    at = position(parse(document).trust)
    while True:
        step = _phase(document, at.next, everywhere)
        yield step
        document, at = step.document, at.next
        if at.phase == "steady":
            return


def _multi_root(document: Document, mesh: MeshSettings, clusters: tuple[str, ...]) -> Step:
    elsewhere = (words.MULTI_ROOT_ELSEWHERE,) if mesh.istio.install == "none" else ()
    commands = (*APPLY, RESTART)
    return Step(
        "multi-root",
        words.MULTI_ROOT_TITLE,
        words.MULTI_ROOT,
        clusters,
        _with_trust(document, multiRoot=True),
        commands,
        (*elsewhere, *words.MULTI_ROOT_WATCH),
        Rollback(document, commands, words.MULTI_ROOT_BACK),
    )


def _phase(document: Document, to: Position, clusters: tuple[str, ...]) -> Step:
    done = to.phase == "steady"
    old = to.serial - 1 if done else to.serial
    numbers = {"old": old, "new": old + 1}
    said = words.PHASES[to.phase]
    copied = to.phase == "add" and "source" in (document.get("trust") or {})
    return Step(
        "finish" if done else to.phase,
        f"{'the end' if done else to.phase}: {said.title}".format(**numbers),
        said.why.format(**numbers) + (words.SOURCE if copied else ""),
        clusters,
        _finished(document, to.serial) if done else _in_phase(document, to.phase),
        APPLY,
        tuple(item.format(**numbers) for item in said.watch),
        Rollback(document, () if done else APPLY, said.back.format(**numbers), closed=done),
    )


def _in_phase(document: Document, phase: str) -> Document:
    trust = document.get("trust") or {}
    # Where the old root has a source, so has the new one in all likelihood, and the person who plans has to name it.
    before = trust.get("rotation") or {"phase": phase, **({"source": trust["source"]} if "source" in trust else {})}
    return _with_trust(document, rotation={**before, "phase": phase})


def _finished(document: Document, serial: int) -> Document:
    source = ((document.get("trust") or {}).get("rotation") or {}).get("source")
    return _with_trust(document, source=source, rootSerial=serial, rotation=REMOVED)


def _intermediates(document: Document, clusters: tuple[str, ...]) -> Iterator[Step]:
    topology = plan(parse(document))
    signing = [item for item in topology.clusters if item.signs]
    for name in clusters:
        if name not in {item.name for item in signing}:
            raise PlanError(
                f'--cluster: no istiod runs in a cluster "{name}" of this mesh, so nothing signs there; name one of '
                + ", ".join(item.name for item in signing)
            )
    for item in signing:
        if clusters and item.name not in clusters:
            continue
        serials = {**((document.get("trust") or {}).get("intermediateSerials") or {})}
        after = _with_trust(document, intermediateSerials={**serials, item.name: serials.get(item.name, 1) + 1})
        server = item.role == "external" and item.settings.east_west.credential is None
        yield Step(
            "intermediate",
            f"a new signing certificate for {item.name}",
            words.INTERMEDIATE + (words.INTERMEDIATE_SERVER if server else ""),
            (item.name,),
            after,
            APPLY,
            tuple(line.format(cluster=item.name) for line in words.INTERMEDIATE_WATCH),
            Rollback(document, APPLY, words.INTERMEDIATE_BACK),
        )
        document = after


def _with_trust(document: Document, **changes: Any) -> Document:
    """The document with keys of `trust` set or removed."""
    trust = dict(document.get("trust") or {})
    for key, value in changes.items():
        trust = with_key(trust, key, value, _TRUST[: _TRUST.index(key)])
    return with_key(document, "trust", trust, _MESH)
