"""What is known of a mesh at one moment. Plain data: whoever gathers it fills it in, the rules only read it.

What could not be looked at is `Unread`, with the reason; it is never left out, so that no rule takes it for absent.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from mesh_components.policy import Violation
from mesh_components.settings import Finding
from mesh_components.topology import names
from mesh_components.topology.certificates import Bundle, Expected, problems
from mesh_components.topology.certificates import Problem as Flaw
from mesh_components.topology.edges import Edge
from mesh_components.topology.plan import ClusterPlan, Topology
from meshctl.verify.answers import Round

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Unread:
    """Something that could not be looked at."""

    why: str
    absent: bool = False
    """True: the API server does not know the kind at all."""


Objects = tuple[Object, ...] | Unread


class How(StrEnum):
    """How an API server takes a kubeconfig."""

    GOOD = "good"
    SILENT = "silent"
    """No answer: refused, or nothing within the time."""
    UNTRUSTED = "untrusted"
    """Its certificate is not what the kubeconfig trusts."""
    REFUSED = "refused"
    """401: it knows no such credential."""
    UNUSABLE = "unusable"
    """The kubeconfig itself cannot be used."""
    UNKNOWN = "unknown"
    """Not asked."""


@dataclass(frozen=True)
class Answer:
    """How it went, at which server, in whose words."""

    how: How
    server: str = ""
    why: str = ""


class Part(StrEnum):
    """What is read of a cluster, by list; namespaced kinds in the root namespace only, unless said otherwise."""

    NAMESPACE = "the root namespace"
    SECRETS = "Secrets"
    ACCOUNTS = "service accounts"
    SERVICES = "Services"
    DEPLOYMENTS = "Deployments"
    PODS = "pods"
    CONFIG_MAPS = "ConfigMaps"
    ROOTS = "the roots that workloads have"
    """ConfigMaps `istio-ca-root-cert`, in every namespace."""
    GATEWAYS = "Gateways of Istio"
    AMBIENT_GATEWAYS = "Gateways of the Gateway API"
    INJECTORS = "mutating webhooks"
    VALIDATORS = "validating webhooks"


@dataclass(frozen=True)
class ClusterFacts:
    """One cluster, as this machine sees it."""

    answer: Answer
    version: str = ""
    """Of Kubernetes, `v1.34.2`."""
    uid: str = ""
    """Of the namespace kube-system: what a cluster is known by."""
    clock: timedelta | None = None
    """How far its clock is ahead of this one's; None where it is not known."""
    late: bool = False
    """True: it answers, and not within the time that all had."""
    parts: Mapping[Part, Objects] = field(default_factory=dict, repr=False)
    """Secrets are among it."""
    doors: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """Address and port of gateways; empty where a connection came about, else why not."""
    views: Mapping[str, Mapping[str, str] | Unread] = field(default_factory=dict)
    """By pod of an istiod, what it says of the clusters that it reads: their states by name."""

    def read(self, part: Part) -> Objects:
        """The objects of a part."""
        return self.parts.get(part, Unread("not asked"))

    def named(self, part: Part, name: str) -> Object | Unread | None:
        """The object of that name; None where there is none."""
        found = self.read(part)
        if isinstance(found, Unread):
            return found
        return next((item for item in found if item["metadata"]["name"] == name), None)


@dataclass(frozen=True)
class Credential:
    """What came of a kubeconfig that a peer holds, used from here."""

    answer: Answer
    uid: str = ""
    """Of kube-system where it leads to; empty where that may not be read."""
    lacking: tuple[str, ...] | Unread = Unread("not asked")
    """Rights that istiod needs and that it does not carry: `list pods`."""


@dataclass(frozen=True)
class Drift:
    """An object that is not as it was applied."""

    cluster: str
    kind: str
    id: str
    """Namespace and name."""
    missing: bool = False
    """Gone altogether."""
    fields: tuple[str, ...] = ()
    """In words, secret values masked."""

    @property
    def about(self) -> str:
        """As `results.about` writes it."""
        return f"{self.cluster} {self.kind} {self.id}"


@dataclass(frozen=True)
class Facts:
    """Everything that the rules judge."""

    topology: Topology | None
    """None where the document cannot be built."""
    findings: tuple[Finding, ...]
    now: datetime
    applied: bool = True
    """False: nothing has been applied yet, so nothing is missing."""
    clusters: Mapping[str, ClusterFacts] = field(default_factory=dict)
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    """By `digest`."""
    drift: tuple[Drift, ...] | Unread = Unread("not asked")
    undrifted: Mapping[str, str] = field(default_factory=dict)
    """Why drift could not be looked for, by cluster."""
    policies: Sequence[Violation] | None = None
    """What of the program breaks a policy; None where nobody asked."""
    requests: Round | None = None
    """What HelloWorld's clients got; None where nobody asked for requests."""

    @property
    def decided(self) -> Topology:
        """The mesh, where the document can be built."""
        if self.topology is None:
            raise ValueError("the document cannot be built, so only its findings are judged")
        return self.topology

    @property
    def root(self) -> str:
        """The root namespace."""
        return self.decided.mesh.istio.namespace

    @cached_property
    def bundles(self) -> Mapping[str, Bundle]:
        """What lies in `cacerts`, by cluster."""
        found = {}
        for plan, cluster in self.inhabited():
            item = cluster.named(Part.SECRETS, names.CACERTS)
            if plan.signs and item is not None and not isinstance(item, Unread):
                found[plan.name] = _bundle(item)
        return found

    @cached_property
    def flaws(self) -> tuple[Flaw, ...]:
        """What is wrong with those, by themselves and together."""
        return problems(self.bundles, self.now, Expected(self.decided.mesh.trust_domain, self.root))

    def cluster(self, name: str) -> ClusterFacts:
        """The facts of a cluster; of one that was not asked, that."""
        return self.clusters.get(name, ClusterFacts(Answer(How.UNKNOWN, why="not asked")))

    def answering(self) -> Iterator[tuple[ClusterPlan, ClusterFacts]]:
        """The clusters that can be looked into."""
        for plan in self.decided.clusters:
            facts = self.cluster(plan.name)
            if facts.answer.how is How.GOOD:
                yield plan, facts

    def inhabited(self) -> Iterator[tuple[ClusterPlan, ClusterFacts]]:
        """Those of them whose root namespace is there, or may be: without it nothing else can be."""
        return (pair for pair in self.answering() if not self.without_namespace(pair[0].name))

    def drifted(self, *objects: str) -> bool:
        """Whether one of these is known not to be as it was applied: `results.about`."""
        return not isinstance(self.drift, Unread) and any(one.about in objects for one in self.drift)

    def without_namespace(self, cluster: str) -> bool:
        """Whether a cluster is known to have no root namespace, or one that is going."""
        found = self.cluster(cluster).named(Part.NAMESPACE, self.root)
        if isinstance(found, Unread):
            return False
        return found is None or bool(found["metadata"].get("deletionTimestamp"))


def digest(source: str, kubeconfig: str) -> str:
    """By which a kubeconfig about a cluster is known without holding it."""
    return hashlib.sha256(f"{source}\0{kubeconfig}".encode()).hexdigest()


def _bundle(item: Object) -> Bundle:
    """As istiod reads it: the keys of a TLS Secret win (pilot/pkg/bootstrap/istio_ca.go)."""
    texts = decoded(item)
    if "tls.crt" in texts:
        return Bundle.of_tls(texts.get("tls.crt"), texts.get("tls.key"), texts.get("ca.crt"))
    return Bundle(
        texts.get("ca-cert.pem"), texts.get("ca-key.pem"), texts.get("cert-chain.pem"), texts.get("root-cert.pem")
    )


def decoded(item: Object) -> dict[str, str]:
    """A Secret's texts by key; what is no text is left out."""
    found = {}
    for key, value in (item.get("data") or {}).items():
        try:
            found[key] = base64.b64decode(value).decode()
        except (ValueError, TypeError):
            continue
    return found


@dataclass(frozen=True)
class Held:
    """A kubeconfig in a Secret of a reader."""

    secret: str
    key: str
    text: str = field(repr=False)
    labelled: bool


def held(facts: ClusterFacts) -> tuple[Held, ...] | Unread:
    """The kubeconfigs that a cluster holds for its istiod: in Secrets with the label, and in those with the name that
    this program and istioctl give them."""
    secrets = facts.read(Part.SECRETS)
    if isinstance(secrets, Unread):
        return secrets
    prefix = names.remote_secret("")
    found = []
    for item in secrets:
        name = item["metadata"]["name"]
        labelled = (item["metadata"].get("labels") or {}).get(names.MULTI_CLUSTER_LABEL) == "true"
        if labelled or name.startswith(prefix) or name in (names.BUNDLED_SECRET, names.CONFIG_SECRET):
            found += [Held(name, key, text, labelled) for key, text in sorted(decoded(item).items())]
    return tuple(found)


def carried(facts: Facts, edge: Edge) -> Held | Unread | None:
    """What the reader holds about the source, where istiod finds it; None where there is nothing."""
    found = held(facts.cluster(edge.reader))
    if isinstance(found, Unread):
        return found
    if edge.config:
        return next((item for item in found if item.secret == names.CONFIG_SECRET and item.key == "config"), None)
    return next((item for item in found if item.labelled and item.key == edge.source), None)
