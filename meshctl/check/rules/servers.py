"""API servers: whether they answer, from here, and whether they let themselves be looked into."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from meshctl.check.facts import Facts, How, Part, Unread
from meshctl.check.results import Result, Unknown, error, warning

MOST = timedelta(seconds=30)
"""How far clocks may be apart: certificates are often valid from the second of their making on."""
_KINDS = {
    How.SILENT: (
        "CHECK201",
        "the API server {server} does not answer: {why}",
        "see that it runs and that this machine reaches it (VPN, proxy, authorized networks), or correct the "
        "kubeconfig",
    ),
    How.UNTRUSTED: (
        "CHECK202",
        "the kubeconfig does not trust the certificate of {server}: {why}",
        "fetch the cluster's kubeconfig again (its certificate-authority-data is another server's), or name the "
        "server as its certificate does",
    ),
    How.REFUSED: (
        "CHECK203",
        "{server} does not accept the kubeconfig's credentials: {why}",
        "log in again, or fetch the cluster's kubeconfig again",
    ),
}


def answering(facts: Facts) -> Iterator[Result]:
    """CHECK201 to CHECK204: from this machine."""
    for index, plan in enumerate(facts.decided.clusters):
        answer = facts.cluster(plan.name).answer
        if answer.how in _KINDS:
            code, cause, fix = _KINDS[answer.how]
            yield error(code, plan.name, cause.format(server=answer.server, why=answer.why), fix)
        elif answer.how is How.UNUSABLE and any(
            finding.place.startswith(f"clusters[{index}].kubeconfig") for finding in facts.findings
        ):
            yield Unknown("CHECK201", plan.name, "its kubeconfig is what is wrong with the document")
        elif answer.how is How.UNUSABLE:
            fix = "give the cluster a kubeconfig, or run `mesh up` where the program makes the cluster"
            yield error("CHECK204", plan.name, f"the kubeconfig cannot be used: {answer.why}", fix)
        elif answer.how is How.UNKNOWN:
            yield Unknown("CHECK201", plan.name, answer.why)


def readable(facts: Facts) -> Iterator[Result]:
    """CHECK205 and CHECK206: what could not be read, once a cluster."""
    for plan, cluster in facts.answering():
        unread = {
            part: found.why for part, found in cluster.parts.items() if isinstance(found, Unread) and not found.absent
        }
        if not unread:
            continue
        some = ", ".join(part.value for part in list(unread)[:3]) + (", ..." if len(unread) > 3 else "")
        if cluster.late:
            cause = f"it answers, and was not done when the others had been for as long again; not read: {some}"
            yield warning("CHECK206", plan.name, cause, "look at its load and at the way to it, or give more --timeout")
        else:
            cause = f"{some} cannot be read, so what is said of this cluster is not all: {next(iter(unread.values()))}"
            fix = "use a kubeconfig that may read them; `kubectl auth can-i --list` tells what it may"
            yield warning("CHECK205", plan.name, cause, fix)


def clocks(facts: Facts) -> Iterator[Result]:
    """CHECK209: against this machine's, whose clock may be the wrong one."""
    for plan, cluster in facts.answering():
        if cluster.clock is None:
            yield Unknown("CHECK209", plan.name, "its answers carry no date")
        elif abs(cluster.clock) > MOST:
            way = "ahead of" if cluster.clock > timedelta() else "behind"
            cause = (
                f"its clock is {abs(cluster.clock).total_seconds():.0f} s {way} this machine's: a certificate that one "
                "cluster makes is not valid yet, or not any more, in another"
            )
            yield warning("CHECK209", plan.name, cause, "see that the nodes, and this machine, follow a time server")


def known(facts: Facts) -> Iterator[Result]:
    """CHECK312: where something else installs Istio, its kinds have to be there before anything is applied."""
    if facts.decided.mesh.istio.install == "charts" and not facts.applied:
        return
    for plan, cluster in facts.answering():
        found = cluster.read(Part.GATEWAYS)
        if isinstance(found, Unread) and found.absent:
            charts = facts.decided.mesh.istio.install == "charts"
            cause = "it does not know Istio's kinds (networking.istio.io/v1), so no gateway can be opened there"
            fix = "run `mesh up`" if charts else "install Istio there, or its chart `base`"
            yield error("CHECK312", plan.name, cause, fix)


RULES = (answering, readable, clocks, known)
