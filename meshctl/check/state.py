"""What was applied, as the state of the local engine has it; and how far what is there has drifted from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from meshctl.check.facts import Drift, Unread
from meshctl.local.model import Op, Record, StepError
from meshctl.local.passphrase import Crypter, PassphraseError, from_environment
from meshctl.local.planner import cluster_name
from meshctl.local.project import Project
from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.local.providers.kubernetes.errors import ApiError
from meshctl.local.providers.kubernetes.objects import NOT_OBJECTS, type_of
from meshctl.local.providers.kubernetes.planning import Settings, plan
from meshctl.local.session import state_file
from meshctl.local.state import StateError, Store

_PROVIDER = "pulumi:providers:kubernetes"


@dataclass(frozen=True)
class Applied:
    """What a state says of the clusters."""

    anything: bool
    """Whether there is anything in it."""
    records: Mapping[str, tuple[Record, ...]] | Unread = field(repr=False)
    """Kubernetes objects by cluster."""
    kubeconfigs: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of clusters that the program makes, by name."""
    identity: str = ""


def applied(project: Project, engine: str, stated: Path | None) -> Applied:
    """Read the state of a stack."""
    if engine == "pulumi":
        why = "Pulumi keeps the state of this stack; `pulumi preview --refresh` compares with it"
        return Applied(True, Unread(why))
    path, identity = state_file(project, stated), f"{project.name}/{project.stack}"
    try:
        store = Store(path, identity, lambda salt: Crypter(from_environment(), salt or project.salt, str(path)))
        store.load()
    except PassphraseError as failure:
        return Applied(True, Unread(str(failure)), identity=identity)
    except StateError as failure:
        return Applied(True, Unread(str(failure)), identity=identity)
    return _sorted(store.records, identity)


def _sorted(known: Mapping[str, Record], identity: str) -> Applied:
    providers = {urn: record for urn, record in known.items() if record.type == _PROVIDER}
    objects: dict[str, list[Record]] = {}
    for record in known.values():
        owner = providers.get(record.provider)
        if owner is not None and record.custom and not record.type.startswith(NOT_OBJECTS) and record.pending is None:
            objects.setdefault(cluster_name(owner.inputs), []).append(record)
    texts = {cluster_name(one.inputs): one.inputs.get("kubeconfig") for one in providers.values()}
    return Applied(
        anything=bool(objects),
        records={name: tuple(records) for name, records in objects.items()},
        kubeconfigs={name: text for name, text in texts.items() if isinstance(text, str)},
        identity=identity,
    )


def drift(cluster: Cluster, record: Record, identity: str) -> Drift | None:
    """How an object differs from what was applied, judged as a preview would; None where it does not.

    Raises ApiError, or Unreachable, where it cannot be read.
    """
    _, kind, _ = type_of(record.type, record.inputs)
    try:
        step = plan(cluster, record.goal(), record, Settings(identity, secret_mutable=True, config_map_mutable=True))
    except StepError as failure:
        if isinstance(failure.__cause__, ApiError) and failure.__cause__.code in (401, 403):
            raise failure.__cause__ from None
        return Drift(cluster.label, kind, record.id, fields=(str(failure),))
    if step.op is Op.SAME:
        return None
    words = tuple(f"{change.path}: {_words(change.new)} -> {_words(change.old)}" for change in step.changes)
    return Drift(cluster.label, kind, record.id, missing=step.op is Op.CREATE, fields=words)


_WIDEST = 60


def _words(value: object) -> str:
    """A change of the step leads back to what was applied, so its new value is what was, and its old one what is."""
    text = "nothing" if value is None else str(value).replace("\n", "\\n")
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}..."


def all_of(records: Mapping[str, tuple[Record, ...]]) -> Iterator[tuple[str, Record]]:
    """Each record with its cluster."""
    for name, found in records.items():
        for record in found:
            yield name, record
