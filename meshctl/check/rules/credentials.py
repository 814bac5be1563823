"""Remote secrets: whether each istiod holds what it needs about each cluster that it reads, and whether that works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from mesh_components.topology import names
from mesh_components.topology.edges import Edge
from mesh_components.topology.tokens import handed_out_elsewhere, tokens
from meshctl.check.facts import Answer, Credential, Facts, Held, How, Part, Unread, carried, digest, held
from meshctl.check.opened import Claims, opened
from meshctl.check.results import Problem, Result, Unknown, about, error, warning

_SOON = timedelta(days=7)
_UP = "run `mesh up`: it writes the Secret anew"


def secrets(facts: Facts) -> Iterator[Result]:
    """CHECK501 to CHECK510, edge by edge; the first thing that is wrong with one."""
    if handed_out_elsewhere(facts.decided.mesh):
        why = "istiods read kubeconfigs that somebody else mounts, which are in no Secret of this program"
        yield from (Unknown(f"CHECK5{number:02}", "", why) for number in range(1, 12))
        return
    lacking: dict[str, Problem] = {}
    for edge in facts.decided.edges:
        reader = facts.cluster(edge.reader)
        if reader.answer.how is not How.GOOD or facts.without_namespace(edge.reader):
            yield Unknown("CHECK501", str(edge), f"{edge.reader} cannot be looked into")
            continue
        item = carried(facts, edge)
        if isinstance(item, Unread):
            yield Unknown("CHECK501", str(edge), item.why)
        elif item is None:
            yield _missing(facts, edge)
        else:
            for result in _carried(facts, edge, item):
                if isinstance(result, Problem) and result.code == "CHECK508":
                    lacking.setdefault(edge.source, result)
                else:
                    yield result
    yield from lacking.values()


def _missing(facts: Facts, edge: Edge) -> Problem:
    """Why istiod finds nothing about a cluster."""
    found = held(facts.cluster(edge.reader))
    there = () if isinstance(found, Unread) else found
    usual = names.CONFIG_SECRET if edge.config else _usual(facts, edge)
    where = [about(edge.reader, "Secret", usual, facts.root)]
    for item in there:
        if item.key == edge.source and not item.labelled:
            cause = (
                f"Secret {item.secret} in {edge.reader} lacks the label {names.MULTI_CLUSTER_LABEL}=true, so istiod "
                f"does not see it, and reads nothing of {edge.source}"
            )
            return error("CHECK502", str(edge), cause, _UP, [about(edge.reader, "Secret", item.secret, facts.root)])
    clusters = {plan.name for plan in facts.decided.clusters}
    wrong = [item.key for item in there if item.secret == usual and item.key not in clusters]
    if wrong and not edge.config:
        cause = (
            f'Secret {usual} in {edge.reader} has the key "{wrong[0]}", which is no cluster\'s name: istiod takes the '
            f"key for a cluster ID, and knows endpoints of {edge.source} under a name that its proxies do not have"
        )
        return error("CHECK503", str(edge), cause, _UP, where)
    cause = (
        f"{edge.reader} has no Secret about {edge.source}, so its istiod reads nothing there: no endpoints, no failover"
    )
    return error("CHECK501", str(edge), cause, "run `mesh up`", where)


def _usual(facts: Facts, edge: Edge) -> str:
    bundled = facts.decided.mesh.discovery.secrets == "bundled"
    return names.BUNDLED_SECRET if bundled else names.remote_secret(edge.source)


def _carried(facts: Facts, edge: Edge, item: Held) -> Iterator[Result]:
    where = [about(edge.reader, "Secret", item.secret, facts.root)]
    kubeconfig = opened(item.text)
    if kubeconfig.error:
        cause = f"Secret {item.secret} in {edge.reader}, key {item.key}: {kubeconfig.error}; istiod reads nothing"
        yield error("CHECK504", str(edge), cause, _UP, where)
        return
    if kubeconfig.refused:
        cause = (
            f"Secret {item.secret} in {edge.reader}, key {item.key} authenticates by {', '.join(kubeconfig.refused)}, "
            "which istiod refuses (PILOT_INSECURE_MULTICLUSTER_KUBECONFIG_OPTIONS)"
        )
        fix = "run `mesh up`; a `peerKubeconfig` needs a token or a certificate of its own"
        yield error("CHECK504", str(edge), cause, fix, where)
        return
    claims = kubeconfig.claims
    of_account = [*where, *_tokens(facts, edge)]
    if claims.ends and claims.ends <= facts.now:
        cause = f"the token with which {edge.reader} reads {edge.source} has ended, on {claims.ends:%Y-%m-%d %H:%M} UTC"
        yield error("CHECK505", str(edge), cause, "run `mesh up`: it asks for another token", of_account)
        return
    credential = facts.credentials.get(digest(edge.source, item.text), Credential(Answer(How.UNKNOWN, why="not asked")))
    broken = tuple(_works(facts, edge, credential, claims, of_account))
    yield from broken
    if not broken and claims.ends and claims.ends - facts.now <= _soon(facts):
        cause = f"the token with which {edge.reader} reads {edge.source} ends on {claims.ends:%Y-%m-%d %H:%M} UTC"
        yield warning("CHECK509", str(edge), cause, "run `mesh up`: it asks for another token", of_account)


def _soon(facts: Facts) -> timedelta:
    """Before `up` would have renewed it, had it been run."""
    stated = facts.decided.mesh.discovery.tokens
    return timedelta(hours=stated.renew_before_hours) / 2 if stated.kind == "requested" else _SOON


def _works(facts: Facts, edge: Edge, found: Credential, claims: Claims, where: list[str]) -> Iterator[Result]:
    source = facts.cluster(edge.source)
    how, server = found.answer.how, found.answer.server
    if how is How.UNKNOWN:
        yield Unknown("CHECK506", str(edge), f"not tried: {found.answer.why}")
    elif (how is How.SILENT and source.answer.how is How.SILENT) or facts.without_namespace(edge.source):
        yield Unknown("CHECK506", str(edge), f"what is wrong with {edge.source} comes first")
    elif how is How.SILENT:
        cause = (
            f"{edge.reader} is sent to {server} to read {edge.source}, and nobody answers there, asked from this "
            f"machine: {found.answer.why}"
        )
        fix = "set `apiServer.address` of the cluster to a URL that its peers reach, and run `mesh up`"
        yield error("CHECK207", str(edge), cause, fix, where)
    elif how is How.UNTRUSTED:
        cause = f"what {edge.reader} holds does not trust the certificate of {server}: {found.answer.why}"
        fix = "run `mesh up`; behind a proxy, or by another name, set `apiServer.tlsServerName`"
        yield error("CHECK208", str(edge), cause, fix, where)
    elif how is How.UNUSABLE:
        yield error("CHECK504", str(edge), f"the kubeconfig cannot be used: {found.answer.why}", _UP, where)
    elif how is How.REFUSED:
        yield _refused(facts, edge, claims, server, where)
    elif found.uid and source.uid and found.uid != source.uid:
        yield _elsewhere(facts, edge, found.uid, server, where)
    else:
        yield from _rights(facts, edge, found)


def _refused(facts: Facts, edge: Edge, claims: Claims, server: str, where: list[str]) -> Problem:
    owner = next((name for name in facts.clusters if claims.account in _accounts(facts, name)), "")
    if owner and owner != edge.source:
        cause = f"{edge.reader} reads {edge.source} with a token of {owner}, and {server} refuses it (401)"
        return error("CHECK507", str(edge), cause, _UP, where)
    why = (
        "its account was deleted, or made anew"
        if claims.account and not owner and _accounts(facts, edge.source)
        else "its Secret was deleted, or the server signs with another key"
    )
    cause = f"{server} refuses the token with which {edge.reader} reads {edge.source} (401): {why}"
    fix = "run `mesh up`: it makes a token and hands it out (istiod before 1.30.4: restart it, then)"
    return error("CHECK506", str(edge), cause, fix, where)


def _accounts(facts: Facts, cluster: str) -> frozenset[str]:
    found = facts.cluster(cluster).read(Part.ACCOUNTS)
    return frozenset() if isinstance(found, Unread) else frozenset(item["metadata"]["uid"] for item in found)


def _elsewhere(facts: Facts, edge: Edge, uid: str, server: str, where: list[str]) -> Problem:
    other = next(
        (name for name, cluster in facts.clusters.items() if cluster.uid == uid),
        "a cluster that is not in the document",
    )
    cause = (
        f"what {edge.reader} holds about {edge.source} leads to {other} ({server}): istiod takes the services of "
        f"{other} for those of {edge.source}"
    )
    return error("CHECK507", str(edge), cause, _UP, where)


def _rights(facts: Facts, edge: Edge, found: Credential) -> Iterator[Result]:
    if edge.config:
        yield Unknown("CHECK508", str(edge), "an external istiod's own rights are those of Istio's chart")
    elif isinstance(found.lacking, Unread):
        yield Unknown("CHECK508", str(edge), found.lacking.why)
    elif found.lacking:
        own = tokens(facts.decided.mesh, edge.source)
        scoped = f"{own.account}-{facts.root}" if own.own else f"istio-reader-clusterrole-{facts.root}"
        some = ", ".join(found.lacking[:3]) + (f" and {len(found.lacking) - 3} more" if len(found.lacking) > 3 else "")
        cause = (
            f"with what peers hold about it, istiod may not {some}: it waits for each of its informers, so the cluster "
            "counts as not synced"
        )
        fix = "run `mesh up`" if own.own else f"install Istio's chart again, which brings the ClusterRole {scoped}"
        fix += "; or take the account of this program (`discovery.account: own`)" * (not own.own)
        objects = [about(edge.source, kind, scoped) for kind in ("ClusterRole", "ClusterRoleBinding")]
        yield error("CHECK508", edge.source, cause, fix, objects)


def _tokens(facts: Facts, edge: Edge) -> Iterator[str]:
    """Where the token comes from."""
    planned = tokens(facts.decided.mesh, edge.source)
    for serial in planned.serials:
        for name in (names.reader_token(planned.account, serial), names.token_binding(planned.account, serial)):
            yield about(edge.source, "Secret", name, facts.root)
    yield about(edge.source, "ServiceAccount", planned.account, facts.root)


def announced(facts: Facts) -> Iterator[Result]:
    """CHECK510 and CHECK511: what istiod finds and the document does not say."""
    wanted = Counter(edge.reader for edge in facts.decided.edges)
    for plan, cluster in facts.inhabited():
        found = held(cluster)
        if isinstance(found, Unread) or handed_out_elsewhere(facts.decided.mesh):
            continue
        keys = Counter(item.key for item in found if item.labelled)
        sources = {edge.source for edge in facts.decided.edges if edge.reader == plan.name}
        usual = {names.remote_secret(source) for source in sources} | {names.BUNDLED_SECRET}
        for item in found:
            secret = about(plan.name, "Secret", item.secret, facts.root)
            if item.labelled and keys[item.key] > 1:
                cause = (
                    f"two Secrets announce {item.key}, one is {item.secret}: istiod takes one, and ignores the other"
                )
                yield warning("CHECK510", plan.name, cause, "delete the one that this program did not make", [secret])
                keys[item.key] = 0
            elif item.labelled and item.secret not in usual and item.key not in {*sources, plan.name} and wanted:
                cause = f'Secret {item.secret} announces "{item.key}", and the document has no such edge to {plan.name}'
                fix = "delete the Secret, or write the cluster into the document"
                yield warning("CHECK511", plan.name, cause, fix, [secret])


RULES = (secrets, announced)
