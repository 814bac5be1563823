"""The root namespace, and the network that it says the cluster is in."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_components.topology import names
from meshctl.check.facts import Facts, Part, Unread
from meshctl.check.results import Result, Unknown, about, error


def present(facts: Facts) -> Iterator[Result]:
    """CHECK306: everything else is in it."""
    for plan, cluster in facts.answering():
        if isinstance(found := cluster.named(Part.NAMESPACE, facts.root), Unread):
            yield Unknown("CHECK306", plan.name, found.why)
        elif facts.without_namespace(plan.name) and (facts.applied or not plan.creates_namespace):
            going = " (it is being deleted)" if found else ""
            cause = f"there is no namespace {facts.root}{going}: no signing certificate, no remote secrets, no reader"
            fix = (
                "run `mesh up`: it makes it again with all that was in it"
                if plan.creates_namespace
                else f"install Istio there again, or create the namespace ({facts.root}), then run `mesh up`"
            )
            yield error("CHECK306", plan.name, cause, fix, [about(plan.name, "Namespace", facts.root)])


def networks(facts: Facts) -> Iterator[Result]:
    """CHECK307: by this label peers' istiods know the network of every pod there."""
    for plan, cluster in facts.inhabited():
        found = cluster.named(Part.NAMESPACE, facts.root)
        if found is None or isinstance(found, Unread) or plan.role == "external" or not facts.applied:
            continue
        network = plan.settings.network
        label = (found["metadata"].get("labels") or {}).get(names.NETWORK_LABEL)
        if label != network:
            said = f'says network "{label}"' if label else "names no network"
            cause = (
                f'the namespace {facts.root} {said} ({names.NETWORK_LABEL}), and the document "{network}": peers take '
                "pods there for pods of another network, and call them directly or not at all"
            )
            fix = "run `mesh up`, then restart workloads that were started in between (their pods keep the network)"
            yield error("CHECK307", plan.name, cause, fix, [about(plan.name, "Namespace", facts.root)])


def controlled(facts: Facts) -> Iterator[Result]:
    """CHECK313: without it the istiod that serves a remote writes nothing there."""
    for plan, cluster in facts.inhabited():
        found = cluster.named(Part.NAMESPACE, facts.root)
        if found is None or isinstance(found, Unread) or not plan.controlled_by or not facts.applied:
            continue
        said = (found["metadata"].get("annotations") or {}).get(names.CONTROL_PLANE_ANNOTATION, "")
        if plan.controlled_by not in said.split(",") and said != "*":
            cause = (
                f'the namespace {facts.root} names "{said}" in {names.CONTROL_PLANE_ANNOTATION}, and its control plane '
                f'is "{plan.controlled_by}": that istiod gives workloads there no root, and the injector no CA bundle'
            )
            yield error("CHECK313", plan.name, cause, "run `mesh up`", [about(plan.name, "Namespace", facts.root)])


RULES = (present, networks, controlled)
