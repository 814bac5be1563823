"""One look at a stack's mesh: read the document and the state, ask the clusters, judge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mesh_components.stack import with_folder
from mesh_components.topology.plan import Topology
from meshctl.check.document import stated
from meshctl.check.facts import Facts
from meshctl.check.gather import Gathering, Limits
from meshctl.check.report import Report, report
from meshctl.check.state import applied
from meshctl.local import policy
from meshctl.local.foresight import foresee
from meshctl.local.project import Project
from meshctl.verify.asking import Asker
from meshctl.verify.requests import call, helloworld


def look(
    project: Project,
    engine: str,
    state: Path | None,
    limits: Limits,
    *,
    policies: bool = False,
    requests: int = 0,
    asker: Asker | None = None,
) -> Report:
    """The report of now.

    Args:
        project: the stack.
        engine: whose state it has, `local` or `pulumi`.
        state: another file than the local engine's usual one.
        limits: how long, and how much at a time.
        policies: look also whether what the document leads to keeps them.
        requests: so many are sent to HelloWorld by the client of each cluster.
        asker: who has them sent; by `exec` when left out.

    Raises:
        ProjectError: when the stack has no document, or none with HelloWorld where requests are asked for.
    """
    known = applied(project, engine, state)
    said = stated(project, known.kubeconfigs)
    if said.topology is None:
        return report(Facts(None, said.findings, datetime.now(UTC), known.anything))
    sample = helloworld(said.topology.mesh, project.stack_file) if requests else None
    facts = Gathering(said.topology, said.kubeconfigs, known, limits).run(said.findings)
    if sample is not None and facts.applied:
        calls, _ = call(said.topology.mesh, sample.namespace, said.kubeconfigs, requests, asker)
        facts = replace(facts, requests=calls)
    return report(replace(facts, policies=_broken(project, said.topology) if policies else None))


def _broken(project: Project, topology: Topology) -> list[policy.Violation]:
    foreseen = foresee(with_folder(topology.mesh, project.root))
    return policy.violations(policy.resources(item.goal for item in foreseen.resources.values()))
