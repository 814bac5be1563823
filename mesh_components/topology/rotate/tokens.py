"""The steps that replace the tokens with which clusters are read: new ones beside the old ones, then without those."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.settings import MeshSettings, parse
from mesh_components.topology import names
from mesh_components.topology.edits import REMOVED, with_key
from mesh_components.topology.plan import Topology, plan
from mesh_components.topology.rotate import words
from mesh_components.topology.steps import APPLY, EACH, Document, PlanError, Rollback, Step
from mesh_components.topology.tokens import restarts

_MESH = ("id", "trustDomain", "istio", "trust")
_DISCOVERY = ("reach", "hubs", "edges", "secrets", "tokens")
_TOKENS = ("kind", "lifetimeHours", "renewBeforeHours", "serials", "keepPrevious")
"""How the keys follow each other."""


def replace(document: Document, clusters: tuple[str, ...]) -> Iterator[Step]:
    """New tokens for some clusters, for all when none is named. From a document that keeps old ones only the rest."""
    mesh = parse(document)
    topology = plan(mesh)
    if not mesh.discovery.tokens.keep_previous:
        chosen = _chosen(topology, clusters)
        if not chosen:
            return
        step = _new(document, topology, chosen)
        yield step
        document = step.document
    yield _withdraw(document, topology)


def _chosen(topology: Topology, clusters: tuple[str, ...]) -> list[str]:
    """Clusters with a token of ours."""
    read = [item.name for item in topology.clusters if item.source and item.settings.reads_with_token]
    for name in clusters:
        if name not in read:
            raise PlanError(
                f'--cluster: no istiod reads "{name}" with a token that is made here; name one of {", ".join(read)}'
            )
    return [name for name in read if not clusters or name in clusters]


def _new(document: Document, topology: Topology, chosen: list[str]) -> Step:
    serials = dict(((document.get("discovery") or {}).get("tokens") or {}).get("serials") or {})
    after = _with_tokens(
        document, serials={**serials, **{name: serials.get(name, 1) + 1 for name in chosen}}, keepPrevious=True
    )
    readers = list(dict.fromkeys(edge.reader for edge in topology.edges if edge.source in chosen and not edge.config))
    commands = tuple(command for reader in readers for command in _restarts(topology, reader))
    why = words.TOKENS + (words.TOKENS_RESTART.format(bugs=_bugs(topology.mesh)) if commands else words.TOKENS_LIVE)
    return Step(
        "tokens",
        f"other tokens to read {' and '.join(chosen)} with",
        why,
        tuple(dict.fromkeys((*chosen, *readers))),
        after,
        (*APPLY, *commands, EACH.format("istioctl remote-clusters")),
        words.TOKENS_WATCH,
        Rollback(document, (*APPLY, *commands), words.TOKENS_BACK),
    )


def _withdraw(document: Document, topology: Topology) -> Step:
    return Step(
        "withdraw",
        "the tokens before are withdrawn",
        words.WITHDRAW,
        tuple(item.name for item in topology.clusters if item.source),
        _with_tokens(document, keepPrevious=REMOVED),
        (*APPLY, EACH.format("istioctl remote-clusters")),
        words.WITHDRAW_WATCH,
        Rollback(document, (), words.WITHDRAW_BACK, closed=True),
    )


def _restarts(topology: Topology, reader: str) -> Iterator[str]:
    """How the istiods of a cluster are restarted, where their version asks for it."""
    mesh = topology.mesh
    for revision in topology.cluster(reader).revisions:
        if restarts(mesh, revision.version):
            restart = f"kubectl -n {mesh.istio.namespace} rollout restart deployment/{names.istiod(revision.name)}"
            yield f"{restart}  # in {reader}"


def _bugs(mesh: MeshSettings) -> str:
    versions = {revision.version for item in plan(mesh).clusters for revision in item.revisions}
    return ", ".join(sorted({bug.issue for version in versions for bug in restarts(mesh, version)}))


def _with_tokens(document: Document, **changes: object) -> Document:
    discovery = dict(document.get("discovery") or {})
    tokens = dict(discovery.get("tokens") or {})
    for key, value in changes.items():
        tokens = with_key(tokens, key, value, _TOKENS[: _TOKENS.index(key)])
    return with_key(document, "discovery", with_key(discovery, "tokens", tokens, _DISCOVERY[:-1]), _MESH)
