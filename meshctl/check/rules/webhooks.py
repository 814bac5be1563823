"""Webhooks: without the injector's no proxy comes into a pod, and with a wrong CA no pod comes about."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from mesh_components.topology import names
from mesh_components.topology.plan import ClusterPlan
from meshctl.check.facts import ClusterFacts, Facts, Object, Part, Unread
from meshctl.check.results import Result, Unknown, about, error
from meshctl.check.rules.certificates import certificates

_MUTATING, _VALIDATING = "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
_INJECTOR, _TAG = "istio-sidecar-injector", "istio-revision-tag-"
_USUAL = "istio-system"


def injectors(facts: Facts) -> Iterator[Result]:
    """CHECK701 and CHECK704: one for each revision, one for each tag."""
    charts = facts.decided.mesh.istio.install == "charts"
    elsewhere = "" if facts.root == _USUAL else f"-{facts.root}"
    for plan, cluster in facts.inhabited():
        if plan.role == "external":
            continue
        read = cluster.read(Part.INJECTORS)
        if isinstance(read, Unread) or not charts:
            why = read.why if isinstance(read, Unread) else "this program installs no istiod, so it expects no webhook"
            yield from (Unknown(code, plan.name, why) for code in ("CHECK701", "CHECK704"))
            continue
        revisions = {f"{_INJECTOR}{f'-{r.name}' if r.name else ''}{elsewhere}": r.name for r in plan.revisions}
        tags = {f"{_TAG}{tag}{elsewhere}": revision for tag, revision in plan.tags}
        there = {item["metadata"]["name"]: item for item in read}
        for name, revision in {**revisions, **tags}.items():
            where = [about(plan.name, _MUTATING, name)]
            if name not in there:
                called = revision or names.UNNAMED_REVISION
                cause = f"there is no {_MUTATING} {name}: new pods of revision {called} get no proxy"
                yield error(
                    "CHECK701", plan.name, cause, "run `mesh up`, then restart pods that came without one", where
                )
                continue
            label = (there[name]["metadata"].get("labels") or {}).get(names.REVISION_LABEL)
            if name in tags and label != (revision or names.UNNAMED_REVISION):
                cause = f"{name} leads to revision {label}, and the document says {revision or names.UNNAMED_REVISION}"
                yield error("CHECK704", plan.name, cause, "run `mesh up`, then `mesh restart`", where)


def bundled(facts: Facts) -> Iterator[Result]:
    """CHECK702 and CHECK703: whoever installed them."""
    trusted = {name: certificates(bundle.root_cert or "") for name, bundle in facts.bundles.items()}
    for plan, cluster in facts.inhabited():
        for kind, item in _ours(facts, cluster):
            name = item["metadata"]["name"]
            where = [about(plan.name, kind, name)]
            texts = [(hook.get("clientConfig") or {}).get("caBundle") for hook in item.get("webhooks") or ()]
            if not all(texts):
                yield from _without(plan, kind, item, where, drifted=facts.drifted(*where))
                continue
            roots = trusted.get(plan.control_plane)
            if roots and not all(_decoded(str(text)) & roots for text in texts):
                cause = (
                    f"{kind} {name} trusts another root than that of the istiod behind it, so the API server refuses "
                    "to call it, and what it is asked about"
                )
                fix = _fix(drifted=facts.drifted(*where))
                yield error("CHECK703", plan.name, cause, fix, where)


def _without(plan: ClusterPlan, kind: str, item: Object, where: list[str], *, drifted: bool) -> Iterator[Result]:
    name = item["metadata"]["name"]
    ignored = all(hook.get("failurePolicy") == "Ignore" for hook in item.get("webhooks") or ())
    if kind == _VALIDATING and ignored:
        yield Unknown("CHECK702", plan.name, f"{name} has none yet and lets everything through; istiod fills it in")
        return
    effect = "no pod with a proxy comes about" if kind == _MUTATING else "nothing of Istio's kinds can be written"
    cause = f"{kind} {name} has no CA bundle, so the API server cannot call istiod: {effect}"
    yield error("CHECK702", plan.name, cause, _fix(drifted=drifted), where)


def _fix(*, drifted: bool) -> str:
    return "run `mesh up`: it puts back what was applied" if drifted else "restart istiod: it writes its root there"


def _ours(facts: Facts, cluster: ClusterFacts) -> Iterator[tuple[str, Object]]:
    """Those whose istiod is in the root namespace, or is called by URL."""
    for part, kind in ((Part.INJECTORS, _MUTATING), (Part.VALIDATORS, _VALIDATING)):
        found = cluster.read(part)
        for item in () if isinstance(found, Unread) else found:
            if names.REVISION_LABEL not in (item["metadata"].get("labels") or {}):
                continue
            hooks = [hook.get("clientConfig") or {} for hook in item.get("webhooks") or ()]
            namespaces = {(hook.get("service") or {}).get("namespace") for hook in hooks if "service" in hook}
            if facts.root in namespaces:
                yield kind, item


def _decoded(text: str) -> frozenset[str]:
    try:
        return certificates(base64.b64decode(text).decode())
    except ValueError:
        return frozenset()


RULES = (injectors, bundled)
