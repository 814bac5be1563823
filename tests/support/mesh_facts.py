"""Facts of meshes that nobody has: a healthy one, and whatever a test changes of it."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import yaml

from mesh_components.gateways import expose, objects
from mesh_components.settings import parse
from mesh_components.topology import names
from mesh_components.topology.plan import ClusterPlan, Topology, plan
from meshctl.check.facts import Answer, ClusterFacts, Credential, Facts, How, Part, Unread, digest, held
from meshctl.check.report import Report, report
from meshctl.verify.answers import Round
from tests.support import authorities

NOW = authorities.NOW
ROOT = "istio-system"
BROKEN = "eyJhbGciOiJub25lIn0.e30.c2ln"
DOCUMENT: Mapping[str, Any] = {
    "id": "mesh1",
    "clusters": [
        {"name": "east", "network": "network1", "kubeconfig": {"secret": "east"}},
        {"name": "west", "network": "network2", "kubeconfig": {"secret": "west"}},
    ],
}
"""Istio comes from charts."""


UNANSWERABLE = Round("http://helloworld.sample:5000/hello", 20, (), ())


@dataclass
class Made:
    """A mesh to be changed before it is judged."""

    topology: Topology
    parts: dict[str, dict[Part, Any]]
    answers: dict[str, Answer]
    credentials: dict[tuple[str, str], Credential] = field(default_factory=dict)
    """By source and reader, where they are not good."""
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    closed: dict[tuple[str, int], str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    clocks: dict[str, timedelta | None] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    drift: Any = ()
    findings: tuple[Any, ...] = ()
    applied: bool = True
    policies: Any = ()
    requests: Any = UNANSWERABLE
    """Asked for, and nothing there that could answer."""

    def item(self, cluster: str, part: Part, name: str) -> dict[str, Any]:
        """One object, to be changed."""
        found: dict[str, Any] = next(o for o in self.parts[cluster][part] if o["metadata"]["name"] == name)
        return found

    def drop(self, cluster: str, part: Part, name: str) -> None:
        """Without one object."""
        self.parts[cluster][part] = [o for o in self.parts[cluster][part] if o["metadata"]["name"] != name]

    def facts(self) -> Facts:
        """As somebody would have gathered them."""
        clusters = {plan.name: self._cluster(plan) for plan in self.topology.clusters}
        return Facts(
            topology=self.topology,
            findings=self.findings,
            now=NOW,
            applied=self.applied,
            clusters=clusters,
            credentials=self._credentials(clusters),
            drift=self.drift,
            policies=self.policies,
            requests=self.requests,
        )

    def judged(self) -> Report:
        """What the rules say."""
        return report(self.facts())

    def _cluster(self, planned: ClusterPlan) -> ClusterFacts:
        name = planned.name
        doors = {(address(name), port): "" for port in (15021, 15443, 15012, 15017, 15008)}
        found = self.parts[name].items()
        return ClusterFacts(
            answer=self.answers[name],
            version=self.versions.get(name, "v1.34.2"),
            uid=f"uid-{name}",
            clock=self.clocks.get(name, timedelta()),
            late=name in self.late,
            parts={part: objs if isinstance(objs, Unread) else tuple(objs) for part, objs in found},
            doors={**doors, **self.closed},
            views=self.views.get(name, {}),
        )

    def _credentials(self, clusters: Mapping[str, ClusterFacts]) -> dict[str, Credential]:
        known = {}
        for reader, facts in clusters.items():
            carried = held(facts)
            for item in () if isinstance(carried, Unread) else carried:
                source = item.key
                good = Credential(Answer(How.GOOD, f"https://{source}.example"), f"uid-{source}", ())
                known[digest(source, item.text)] = self.credentials.get((source, reader), good)
        return known


def address(cluster: str) -> str:
    """Of a gateway."""
    return f"203.0.113.{sum(cluster.encode()) % 250}"


def healthy(document: Mapping[str, Any] = DOCUMENT) -> Made:
    """A mesh with which nothing is wrong, and whose istiods say so."""
    decided = plan(parse(copy.deepcopy(dict(document))))
    root = authorities.root()
    made = {
        planned.name: authorities.intermediate(root, authorities.key(number=number), locality=planned.name)
        for number, planned in enumerate(decided.clusters, 1)
    }
    sources = {p.name: [e.source for e in decided.edges if e.reader == p.name] for p in decided.clusters}
    return Made(
        topology=decided,
        parts={p.name: _parts(decided, p, made, root.pem, sources[p.name]) for p in decided.clusters},
        answers={p.name: Answer(How.GOOD, f"https://{p.name}.example") for p in decided.clusters},
        views={p.name: {"istiod-1": dict.fromkeys(sources[p.name], "synced")} for p in decided.clusters if p.signs},
    )


def secret(name: str, texts: Mapping[str, str], **metadata: Any) -> dict[str, Any]:
    """A Secret."""
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    return {"metadata": {"name": name, "namespace": ROOT, **metadata}, "data": data}


def kubeconfig(cluster: str, token: str = BROKEN, **user: Any) -> str:
    """What a peer holds about a cluster."""
    document = {
        "clusters": [{"name": cluster, "cluster": {"server": f"https://{cluster}.example"}}],
        "users": [{"name": cluster, "user": user or {"token": token}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
    }
    return yaml.safe_dump(document)


def remote_secret(cluster: str, text: str | None = None) -> dict[str, Any]:
    """As this program makes it."""
    return secret(
        names.remote_secret(cluster), {cluster: text or kubeconfig(cluster)}, labels={"istio/multiCluster": "true"}
    )


def _parts(
    decided: Topology, planned: ClusterPlan, made: Mapping[str, authorities.Authority], root: str, sources: list[str]
) -> dict[Part, Any]:
    network, own = planned.settings.network, made[planned.name]
    bundle = {"ca-cert.pem": own.pem, "ca-key.pem": own.key, "cert-chain.pem": own.chain, "root-cert.pem": root}
    signs = [secret(names.CACERTS, bundle)] if planned.signs else []
    mesh, revisions = decided.mesh, planned.revisions if planned.signs else ()
    annotations = {names.CONTROL_PLANE_ANNOTATION: planned.controlled_by} if planned.controlled_by else {}
    namespace = {"metadata": {"name": ROOT, "labels": {names.NETWORK_LABEL: network}, "annotations": annotations}}
    return {
        Part.NAMESPACE: [namespace],
        Part.SECRETS: [*signs, *map(remote_secret, sources)],
        Part.ACCOUNTS: [{"metadata": {"name": names.READER_ACCOUNT, "uid": f"account-{planned.name}"}}],
        Part.SERVICES: _services(planned),
        Part.DEPLOYMENTS: [_istiod(planned.name, revision.name, revision.version) for revision in revisions],
        Part.PODS: [_pod("gateway", {"istio": "eastwestgateway"})],
        Part.CONFIG_MAPS: _config_maps(mesh.id, mesh.trust_domain, network, [r.name for r in revisions]),
        Part.ROOTS: [{"metadata": {"name": names.ROOT_CERT, "namespace": "sample"}, "data": {"root-cert.pem": root}}],
        Part.GATEWAYS: [dict(expose.services(ROOT, ["*.local"])), dict(expose.istiod(ROOT))],
        Part.AMBIENT_GATEWAYS: [],
        Part.INJECTORS: [_webhook(planned, revision.name, root) for revision in planned.revisions],
        Part.VALIDATORS: [],
    }


def _services(planned: ClusterPlan) -> list[dict[str, Any]]:
    if not planned.east_west:
        return []
    ports = tuple((str(port), port) for port in (15021, 15443, 15012, 15017))
    made = objects.Proxy(names.EAST_WEST_GATEWAY, ROOT, ports, planned.settings.network)
    status = {"loadBalancer": {"ingress": [{"ip": address(planned.name)}]}}
    return [{**copy.deepcopy(dict(objects.service(made, "LoadBalancer", {}, ()))), "status": status}]


def _istiod(cluster: str, revision: str, version: str) -> dict[str, Any]:
    container = {
        "name": "discovery",
        "image": f"registry.istio.io/release/pilot:{version}",
        "env": [{"name": "CLUSTER_ID", "value": cluster}],
    }
    return {
        "metadata": {"name": names.istiod(revision), "namespace": ROOT},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"availableReplicas": 1},
    }


def _pod(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    status = {"containerStatuses": [{"ready": True, "containerID": "containerd://1"}]}
    return {"metadata": {"name": name, "namespace": ROOT, "labels": dict(labels)}, "status": status}


def _config_maps(mesh: str, domain: str, network: str, revisions: list[str]) -> list[dict[str, Any]]:
    config = json.dumps({"trustDomain": domain, "defaultConfig": {"meshId": mesh}})
    values = json.dumps({"global": {"network": network}})
    suffixes = [f"-{revision}" if revision else "" for revision in revisions]
    return [
        {"metadata": {"name": f"{name}{suffix}"}, "data": data}
        for suffix in suffixes
        for name, data in (("istio", {"mesh": config}), ("istio-sidecar-injector", {"values": values}))
    ]


def _webhook(planned: ClusterPlan, revision: str, root: str) -> dict[str, Any]:
    bundle = base64.b64encode(root.encode()).decode()
    service = {"name": names.istiod(revision), "namespace": ROOT}
    name = f"istio-sidecar-injector-{revision}" if revision else "istio-sidecar-injector"
    labels = {names.REVISION_LABEL: revision or names.UNNAMED_REVISION, "cluster": planned.name}
    hook = {"clientConfig": {"caBundle": bundle, "service": service}}
    return {"metadata": {"name": name, "labels": labels}, "webhooks": [hook]}
