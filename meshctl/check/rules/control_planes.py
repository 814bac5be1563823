"""Versions of Kubernetes and of istiod, and what each istiod says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from mesh_components.topology import names
from mesh_components.topology.plan import ClusterPlan
from mesh_components.topology.revisions import Revision
from mesh_components.topology.roles import runs_istiod
from mesh_components.topology.versions import Version, apart, parse, release, text
from meshctl.check.facts import ClusterFacts, Facts, Object, Part, Unread
from meshctl.check.results import Problem, Result, Unknown, about, error, warning

_MINOR = re.compile(r"v?(\d+)\.(\d+)")


def kubernetes(facts: Facts) -> Iterator[Result]:
    """CHECK301: the table of https://istio.io/latest/docs/releases/supported-releases/."""
    for plan, cluster in facts.answering():
        has = _minor(cluster.version)
        if has is None:
            yield Unknown("CHECK301", plan.name, "its version cannot be read")
            continue
        for revision in plan.revisions:
            version = parse(revision.version)
            known = release(version) if version else None
            first, last = (_minor(one) for one in known.kubernetes) if known else (None, None)
            if known and first and last and not first <= has <= last:
                span = " to ".join(known.kubernetes)
                cause = f"it is Kubernetes {cluster.version}, and Istio {known.name} is tested with {span}"
                yield warning("CHECK301", plan.name, cause, "upgrade the one that is behind, and Istio first")


def _minor(version: str) -> tuple[int, int] | None:
    match = _MINOR.match(version)
    return (int(match[1]), int(match[2])) if match else None


def istiods(facts: Facts) -> Iterator[Result]:
    """CHECK302 to CHECK305: each control plane's Deployment."""
    running = dict(_running(facts))
    skewed = set(_skewed(facts, running))
    for plan, cluster in facts.inhabited():
        for revision in plan.revisions if runs_istiod(plan.settings) and facts.applied else ():
            found = cluster.named(Part.DEPLOYMENTS, names.istiod(revision.name))
            where = about(plan.name, "Deployment", names.istiod(revision.name), facts.root)
            if isinstance(found, Unread) or (found is None and facts.decided.mesh.istio.install == "none"):
                why = (
                    found.why
                    if isinstance(found, Unread)
                    else "no Deployment of istiod is there; this program installs none"
                )
                yield from (Unknown(code, plan.name, why) for code in ("CHECK302", "CHECK303", "CHECK304", "CHECK305"))
            elif found is None:
                cause = (
                    f"there is no Deployment {names.istiod(revision.name)} in {facts.root}: nobody serves this cluster"
                )
                yield error("CHECK304", plan.name, cause, "run `mesh up`", [where])
            else:
                yield from _version(facts, plan, revision, running.get((plan.name, revision.name)), skewed, where)
                if not (found.get("status") or {}).get("availableReplicas"):
                    who = names.istiod(revision.name)
                    cause = f"no pod of {who} is available: proxies keep what they have, new ones get nothing"
                    look = f"kubectl -n {facts.root} describe pods -l app=istiod"
                    yield error("CHECK305", plan.name, cause, f"see why with `{look}`", [where])


Running = dict[tuple[str, str], Version]


def _running(facts: Facts) -> Iterator[tuple[tuple[str, str], Version]]:
    """Versions by cluster and revision, as far as they can be told."""
    for plan, cluster in facts.inhabited():
        for revision in plan.revisions:
            found = cluster.named(Part.DEPLOYMENTS, names.istiod(revision.name))
            version = _of(found) if found is not None and not isinstance(found, Unread) else None
            if version:
                yield (plan.name, revision.name), version


def _of(deployment: Object) -> Version | None:
    containers = deployment["spec"]["template"]["spec"]["containers"]
    images = [one.get("image", "") for one in containers if one.get("name") == "discovery"] or [""]
    return parse(images[0].partition("@")[0].rpartition(":")[2])


def _skewed(facts: Facts, running: Running) -> Iterator[tuple[str, str]]:
    """Those more than a minor away from what the document says of them, or of the others."""
    wanted = {(p.name, r.name): parse(r.version) for p in facts.decided.clusters for r in p.revisions}
    for key, version in running.items():
        if any(other and apart(version, other) > 1 for other in (wanted.get(key), *_documented(facts))):
            yield key


def _documented(facts: Facts) -> Iterator[Version | None]:
    return (parse(revision.version) for plan in facts.decided.clusters for revision in plan.revisions)


def _version(
    facts: Facts,
    plan: ClusterPlan,
    revision: Revision,
    version: Version | None,
    skewed: set[tuple[str, str]],
    where: str,
) -> Iterator[Result]:
    wanted = parse(revision.version)
    if version is None:
        yield Unknown("CHECK302", plan.name, f"the image of {names.istiod(revision.name)} does not tell its version")
    elif (plan.name, revision.name) in skewed:
        cause = (
            f"{names.istiod(revision.name)} is {text(version)}, and the mesh {revision.version}: more than one minor "
            "apart, which nobody tests, and which has broken TLS between clusters before"
        )
        fix = f"{_install(facts, revision.version)}; go one minor at a time (`mesh upgrade plan`)"
        yield error("CHECK303", plan.name, cause, fix, [where])
    elif wanted and version != wanted:
        cause = f"{names.istiod(revision.name)} is {text(version)}, and the document says {revision.version}"
        fix = f"{_install(facts, revision.version)}, or write into the document what runs"
        yield warning("CHECK302", plan.name, cause, fix, [where])


def _install(facts: Facts, version: str) -> str:
    charts = facts.decided.mesh.istio.install == "charts"
    return "run `mesh up`" if charts else f"install istiod {version} there by what installs it"


def identity(facts: Facts) -> Iterator[Result]:
    """CHECK308 to CHECK311: what istiod and its proxies are told of themselves."""
    if not facts.applied:
        return
    mesh = facts.decided.mesh
    for plan, cluster in facts.inhabited():
        for revision in plan.revisions if runs_istiod(plan.settings) and plan.role != "external" else ():
            suffix = f"-{revision.name}" if revision.name else ""
            config, injector = f"istio{suffix}", f"istio-sidecar-injector{suffix}"
            told = _mesh_config(cluster, config)
            yield from _same(facts, plan, "CHECK309", config, told and _dig(told, "defaultConfig", "meshId"), mesh.id)
            domain = told and (told.get("trustDomain") or "cluster.local")
            yield from _same(facts, plan, "CHECK311", config, domain, mesh.trust_domain)
            network = _dig(_values(cluster, injector), "global", "network")
            yield from _same(facts, plan, "CHECK308", injector, network, plan.settings.network)
            deployment = cluster.named(Part.DEPLOYMENTS, names.istiod(revision.name))
            yield from _same(facts, plan, "CHECK310", names.istiod(revision.name), _cluster_id(deployment), plan.name)


_WORDS = {
    "CHECK308": ("network", "ConfigMap", "proxies say another network than their namespace, so requests go astray"),
    "CHECK309": ("mesh ID", "ConfigMap", "its proxies count as another mesh's"),
    "CHECK310": ("cluster ID", "Deployment", "peers know it by another name, and tokens of its proxies are refused"),
    "CHECK311": ("trust domain", "ConfigMap", "identities there begin otherwise, and other clusters refuse them"),
}  # fmt: skip


def _same(facts: Facts, plan: ClusterPlan, code: str, name: str, told: Any, wanted: str) -> Iterator[Problem | Unknown]:
    word, kind, effect = _WORDS[code]
    if told is None or told == {}:
        yield Unknown(code, plan.name, f"no {kind} {name} in {facts.root} tells it")
    elif told != wanted:
        cause = f'{kind} {name} says {word} "{told}", and the document "{wanted}": {effect}'
        charts = facts.decided.mesh.istio.install == "charts"
        fix = "run `mesh up`" if charts else f'install istiod there with the {word} "{wanted}"'
        fix += ", then restart istiod and the workloads (`mesh restart`)"
        yield error(code, plan.name, cause, fix, [about(plan.name, kind, name, facts.root)])


def _data(cluster: ClusterFacts, name: str, key: str) -> str:
    found = cluster.named(Part.CONFIG_MAPS, name)
    return "" if found is None or isinstance(found, Unread) else str((found.get("data") or {}).get(key, ""))


def _mesh_config(cluster: ClusterFacts, name: str) -> dict[str, Any] | None:
    try:
        found = yaml.safe_load(_data(cluster, name, "mesh"))
    except yaml.YAMLError:
        return None
    return found if isinstance(found, dict) else None


def _values(cluster: ClusterFacts, name: str) -> Any:
    try:
        return json.loads(_data(cluster, name, "values"))
    except ValueError:
        return None


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _cluster_id(deployment: Object | Unread | None) -> str | None:
    if deployment is None or isinstance(deployment, Unread):
        return None
    for container in deployment["spec"]["template"]["spec"]["containers"]:
        for variable in container.get("env") or ():
            if variable.get("name") == "CLUSTER_ID":
                return str(variable.get("value"))
    return None


RULES = (kubernetes, istiods, identity)
