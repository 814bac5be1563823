"""Asks all clusters at once, and hands over what came of it as facts. Changes nothing and judges nothing.

One question finds out whether a cluster answers; only then are the others asked, a few at a time. A kubeconfig that
peers hold is used once, however many of them hold the same.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from mesh_components.settings import Finding
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError
from mesh_components.topology.plan import ClusterPlan, Topology
from meshctl.check import asking, gateways
from meshctl.check.facts import (
    Answer,
    ClusterFacts,
    Credential,
    Drift,
    Facts,
    How,
    Part,
    Unread,
    digest,
    held,
)
from meshctl.check.lanes import Lanes
from meshctl.check.opened import opened
from meshctl.check.state import Applied, drift
from meshctl.local.model import Unreachable
from meshctl.local.providers.kubernetes.cluster import Cluster
from meshctl.local.providers.kubernetes.errors import ApiError
from meshctl.local.providers.kubernetes.transport import Patience, Transport


@dataclass(frozen=True)
class Limits:
    """How long is waited, and how much is asked at a time."""

    seconds: float = 15.0
    """For everything."""
    least: float = 2.0
    """That every cluster has, however fast the others are."""
    parallel: int = 4
    """Questions to one cluster at a time."""

    @property
    def patience(self) -> Patience:
        """One try: who does not answer is told of, and asked again by the next check."""
        return Patience(connect=min(5.0, self.seconds), read=self.seconds, pauses=())


@dataclass
class _Board:
    """What has come in, by cluster; filled from many threads, each with keys of its own."""

    facts: dict[str, ClusterFacts] = field(default_factory=dict)
    parts: dict[str, dict[Part, tuple[Mapping[str, object], ...] | Unread]] = field(default_factory=dict)
    doors: dict[str, dict[tuple[str, int], str]] = field(default_factory=dict)
    views: dict[str, dict[str, Mapping[str, str] | Unread]] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    drift: list[Drift] = field(default_factory=list)
    undrifted: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Gathering:
    """One look at the whole mesh."""

    def __init__(
        self,
        topology: Topology,
        kubeconfigs: Mapping[str, Kubeconfig | KubeconfigError],
        applied: Applied,
        limits: Limits = Limits(),
    ) -> None:
        self._topology = topology
        self._root = topology.mesh.istio.namespace
        self._kubeconfigs = kubeconfigs
        self._applied = applied
        self._limits = limits
        self._lanes = Lanes(limits.parallel)
        self._board = _Board()

    def run(self, findings: tuple[Finding, ...] = ()) -> Facts:
        """Ask, wait, and hand over what is known by then."""
        for plan in self._topology.clusters:
            self._begin(plan)
        late = self._lanes.wait(self._limits.seconds, self._limits.least)
        board, records = self._board, self._applied.records
        with board.lock:
            return Facts(
                topology=self._topology,
                findings=findings,
                now=datetime.now(UTC),
                applied=self._applied.anything,
                clusters={plan.name: self._facts(plan.name, plan.name in late) for plan in self._topology.clusters},
                credentials=dict(board.credentials),
                drift=records
                if isinstance(records, Unread)
                else tuple(sorted(board.drift, key=lambda one: (one.cluster, one.kind, one.id))),
                undrifted={**dict.fromkeys(late, "it was not asked in time"), **board.undrifted},
            )

    def _facts(self, name: str, late: bool) -> ClusterFacts:
        silent = Answer(How.SILENT, self._server(name), "no answer in the time that the others needed twice over")
        known = self._board.facts.get(name, ClusterFacts(silent))
        unasked = dict.fromkeys(Part, Unread("no answer in time"))
        return replace(
            known,
            late=late and known.answer.how is How.GOOD,
            parts={**unasked, **self._board.parts.get(name, {})},
            doors=dict(self._board.doors.get(name, {})),
            views=dict(self._board.views.get(name, {})),
        )

    def _server(self, name: str) -> str:
        found = self._kubeconfigs.get(name)
        return found.server if isinstance(found, Kubeconfig) else ""

    def _begin(self, plan: ClusterPlan) -> None:
        found = self._kubeconfigs.get(plan.name)
        if isinstance(found, Kubeconfig):
            transport = Transport(plan.name, found.contents, found.context, self._limits.patience)
            self._lanes.start(plan.name, partial(self._first, plan, transport))
        else:
            why = str(found or "nothing says how it is reached")
            self._board.facts[plan.name] = ClusterFacts(Answer(How.UNUSABLE, why=why))

    def _first(self, plan: ClusterPlan, transport: Transport) -> None:
        answer, version = asking.version(transport)
        with self._board.lock:
            self._board.facts[plan.name] = ClusterFacts(answer, version, clock=asking.clock(transport))
        if answer.how is not How.GOOD:
            return
        self._lanes.start(plan.name, partial(self._uid, plan, transport))
        left = set(Part)
        for part in Part:
            self._lanes.start(plan.name, partial(self._part, plan, transport, part, left))
        records = self._applied.records
        cluster = Cluster(plan.name, transport)
        for record in () if isinstance(records, Unread) else records.get(plan.name, ()):
            self._lanes.start(plan.name, partial(self._drift, cluster, record))

    def _uid(self, plan: ClusterPlan, transport: Transport) -> None:
        try:
            found = asking.uid(transport)
        except asking.FAILURES:
            return
        with self._board.lock:
            self._board.facts[plan.name] = replace(self._board.facts[plan.name], uid=found)

    def _part(self, plan: ClusterPlan, transport: Transport, part: Part, left: set[Part]) -> None:
        found = asking.part(transport, part, plan, self._root)
        with self._board.lock:
            self._board.parts.setdefault(plan.name, {})[part] = found
            left.discard(part)
            last = not left
            known = ClusterFacts(Answer(How.GOOD), parts=dict(self._board.parts[plan.name]))
        if part is Part.SECRETS:
            self._use(known)
        if last:
            self._knock(plan, known)
            self._views(plan, transport, known)

    def _use(self, reader: ClusterFacts) -> None:
        """Use the kubeconfigs that a cluster holds, of clusters that are in the document: nothing else is called with
        what stands in a Secret. One that istiod refuses could run programs here, too, and is not used."""
        carried = held(reader)
        sources = {plan.name: plan for plan in self._topology.clusters}
        configs = {edge.reader: edge.source for edge in self._topology.edges if edge.config}
        for item in () if isinstance(carried, Unread) else carried:
            name = item.key if item.key in sources else next(iter(configs.values()), "") if item.key == "config" else ""
            if name not in sources:
                continue
            key = digest(name, item.text)
            with self._board.lock:
                if key in self._board.credentials:
                    continue
                self._board.credentials[key] = Credential(Answer(How.UNKNOWN, why="no answer in time"))
            if opened(item.text).usable:
                self._lanes.start(name, partial(self._credential, sources[name], item.text, key))

    def _credential(self, source: ClusterPlan, text: str, key: str) -> None:
        transport = Transport(source.name, text, patience=self._limits.patience)
        served = source.control_plane != source.name
        found = asking.credential(transport, self._root, served=served)
        with self._board.lock:
            self._board.credentials[key] = found

    def _knock(self, plan: ClusterPlan, known: ClusterFacts) -> None:
        for address, port in set(gateways.doors(self._topology.mesh, plan, known)):
            self._lanes.start(plan.name, partial(self._door, plan.name, address, port))

    def _door(self, name: str, address: str, port: int) -> None:
        why = ""
        try:
            socket.create_connection((address, port), self._limits.patience.connect).close()
        except OSError as failure:
            why = failure.strerror or str(failure)
        with self._board.lock:
            self._board.doors.setdefault(name, {})[address, port] = why

    def _views(self, plan: ClusterPlan, transport: Transport, known: ClusterFacts) -> None:
        pods = known.read(Part.PODS)
        for pod in () if isinstance(pods, Unread) else pods:
            if (pod["metadata"].get("labels") or {}).get("app") == "istiod":
                self._lanes.start(plan.name, partial(self._view, plan.name, transport, pod))

    def _view(self, name: str, transport: Transport, pod: Mapping[str, object]) -> None:
        found: Mapping[str, str] | Unread
        if gateways.pretended(pod):
            found = Unread("its pod is one that the lab pretends, in which nothing runs")
        else:
            found = asking.view(transport, pod)
        with self._board.lock:
            self._board.views.setdefault(name, {})[pod["metadata"]["name"]] = found  # type: ignore[index]

    def _drift(self, cluster: Cluster, record: object) -> None:
        try:
            found = drift(cluster, record, self._applied.identity)  # type: ignore[arg-type]
        except (Unreachable, ApiError) as failure:
            self._board.undrifted[cluster.label] = str(failure)
            return
        if found is not None:
            with self._board.lock:
                self._board.drift.append(found)
