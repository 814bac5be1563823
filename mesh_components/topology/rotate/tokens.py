"""The steps that replace the tokens with which clusters are read, by istiods or by Kiali: new ones beside the old ones,
then without those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mesh_components.settings import MeshSettings, parse
from mesh_components.topology import addons, names
from mesh_components.topology.edits import REMOVED, with_key
from mesh_components.topology.plan import Topology, plan
from mesh_components.topology.rotate import words
from mesh_components.topology.steps import APPLY, EACH, Document, PlanError, Rollback, Step
from mesh_components.topology.tokens import restarts

_MESH = ("id", "trustDomain", "istio", "trust", "clusters", "discovery")
_DISCOVERY = ("discovery", "tokens")
_KIALI = ("addons", "kiali", "tokens")
"""Where the tokens of istiods and of Kiali are in the document."""
_ORDER: Mapping[str, tuple[str, ...]] = {
    "discovery": _MESH[:-2],
    "addons": _MESH,
    "kiali": ("cluster", "namespace", "metricsUrl", "prometheus", "grafana", "jaeger"),
    "tokens": ("reach", "hubs", "edges", "secrets", "version", "charts", "values", "auth", "viewOnly"),
    "serials": ("kind", "lifetimeHours", "renewBeforeHours"),
    "keepPrevious": ("kind", "lifetimeHours", "renewBeforeHours", "serials"),
}
"""By key: those that come before it."""
_SYNCED = "istioctl remote-clusters"


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
    readable = tuple(item.name for item in topology.clusters if item.source)
    yield _withdraw(document, _DISCOVERY, readable, (EACH.format(_SYNCED),), words.WITHDRAW_WATCH)


def replace_kiali(document: Document, clusters: tuple[str, ...]) -> Iterator[Step]:
    """The same for what Kiali reads other clusters with. It looks once, so a changed annotation replaces its Pod."""
    mesh = parse(document)
    home = addons.home(mesh)
    if mesh.addons.kiali is None or home is None:
        raise PlanError("addons.kiali: there is no Kiali in this mesh, so it has no tokens")
    read = [item.name for item in mesh.clusters if addons.read_by_kiali(mesh, item)]
    chosen = _named(read, clusters, 'Kiali does not read "{}" with a token that is made here')
    if not chosen:
        return
    if not mesh.addons.kiali.tokens.keep_previous:
        after = _raised(document, _KIALI, chosen)
        step = Step(
            "kiali-tokens",
            f"other tokens for Kiali to read {' and '.join(chosen)} with",
            words.KIALI_TOKENS,
            tuple(dict.fromkeys((*chosen, home.name))),
            after,
            APPLY,
            words.KIALI_WATCH,
            Rollback(document, APPLY, words.KIALI_BACK),
        )
        yield step
        document = step.document
    yield _withdraw(document, _KIALI, tuple(read), (), words.KIALI_WATCH)


def _chosen(topology: Topology, clusters: tuple[str, ...]) -> list[str]:
    """Clusters with a token of ours."""
    read = [item.name for item in topology.clusters if item.source and item.settings.reads_with_token]
    return _named(read, clusters, 'no istiod reads "{}" with a token that is made here')


def _named(read: list[str], clusters: tuple[str, ...], why: str) -> list[str]:
    """Those of them that are asked for, all where none is."""
    for name in clusters:
        if name not in read:
            known = f"name one of {', '.join(read)}" if read else "there is none that is"
            raise PlanError(f"--cluster: {why.format(name)}; {known}")
    return [name for name in read if not clusters or name in clusters]


def _new(document: Document, topology: Topology, chosen: list[str]) -> Step:
    after = _raised(document, _DISCOVERY, chosen)
    readers = list(dict.fromkeys(edge.reader for edge in topology.edges if edge.source in chosen and not edge.config))
    commands = tuple(command for reader in readers for command in _restarts(topology, reader))
    why = words.TOKENS + (words.TOKENS_RESTART.format(bugs=_bugs(topology.mesh)) if commands else words.TOKENS_LIVE)
    return Step(
        "tokens",
        f"other tokens to read {' and '.join(chosen)} with",
        why,
        tuple(dict.fromkeys((*chosen, *readers))),
        after,
        (*APPLY, *commands, EACH.format(_SYNCED)),
        words.TOKENS_WATCH,
        Rollback(document, (*APPLY, *commands), words.TOKENS_BACK),
    )


def _withdraw(
    document: Document, path: tuple[str, ...], clusters: tuple[str, ...], then: tuple[str, ...], watch: tuple[str, ...]
) -> Step:
    return Step(
        "withdraw",
        "the tokens before are withdrawn",
        words.WITHDRAW,
        clusters,
        _within(document, path, {"keepPrevious": REMOVED}),
        (*APPLY, *then),
        watch,
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


def _raised(document: Document, path: tuple[str, ...], chosen: list[str]) -> Document:
    """The document with the next token of each of these clusters, beside the one before."""
    stated: Any = document
    for key in path:
        stated = stated.get(key) or {}
    serials = stated.get("serials") or {}
    raised = {**serials, **{name: serials.get(name, 1) + 1 for name in chosen}}
    return _within(document, path, {"serials": raised, "keepPrevious": True})


def _within(document: Document, path: tuple[str, ...], changes: Mapping[str, Any]) -> Document:
    """The document with these keys set, or removed, in the mapping at that path."""
    if not path:
        for key, value in changes.items():
            document = with_key(document, key, value, _ORDER[key])
        return document
    key, *rest = path
    return with_key(document, key, _within(document.get(key) or {}, tuple(rest), changes), _ORDER[key])
