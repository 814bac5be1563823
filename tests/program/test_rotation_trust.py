"""While the root is replaced, any workload of any cluster is accepted by any other, at every moment, in every order.

With real certificates and real verifiers, and with what the program puts into the clusters.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise, permutations, product
from typing import Any

import pytest

from mesh_components.topology.certificates import Bundle, problems
from mesh_components.topology.rotate import rotation_plan
from tests.support import authorities
from tests.support.graph import Graph, Registered
from tests.support.meshes import document, federation
from tests.support.real_tls import remembered
from tests.support.recipes import document as recipe
from tests.support.workloads import Leaf, accepts, accepts_server, workload

CLUSTERS = ("cluster1", "cluster2", "cluster3")
PHASES = ("steady", "add", "switch", "retire", "end")
LIVING = {"add": 1, "switch": 2, "retire": 1, "end": 2}
"""How many phases before a step have workloads whose certificates still live. Before `retire` the plan has those of
earlier phases than `switch` end; between the others nobody has to wait."""

SECRET = "kubernetes:core/v1:Secret"
accepted = cache(accepts)
PEMs = Mapping[str, str]


def decoded(secret: Registered) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret.inputs["data"].items()}


def cacerts(graph: Graph) -> dict[str, PEMs]:
    found = [item for item in graph.of_type(SECRET) if item.kubernetes_name == "cacerts"]
    return {graph.cluster(item): decoded(item) for item in found}


def way(start: dict[str, Any], texts: Mapping[str, str] | None = None) -> dict[str, Graph]:
    """The whole program at each phase, on one state. From `steady` to `end` as the plan leads."""
    state: dict[Any, Any] = {}
    documents = [step.document for step in rotation_plan(start, "root")]
    assert len(documents) == len(PHASES)
    made = {}
    for phase, wanted in zip(PHASES, documents, strict=True):
        named = {place: text for place, text in (texts or {}).items() if stated(wanted, place)}
        made[phase] = federation(wanted, answers=remembered(state), texts=named)
    return made


def stated(wanted: Any, place: str) -> bool:
    for key in place.split("."):
        wanted = wanted.get(key) if isinstance(wanted, Mapping) else None
    return wanted is not None


@cache
def generated() -> dict[str, Graph]:
    return way(document(*CLUSTERS))


@cache
def from_a_root_of_ones_own() -> dict[str, Graph]:
    """Both roots come from outside; that makes other texts and other names of subjects."""
    begins, ends = datetime.now(UTC) - timedelta(days=30), datetime.now(UTC) + timedelta(days=4000)
    roots = [authorities.root(authorities.key(number=n), name=f"Root {n}", begins=begins, ends=ends) for n in (1, 2)]
    kinds = {"certificate": "pem", "key": "key"}
    written = [{kind: getattr(root, attribute) for kind, attribute in kinds.items()} for root in roots]
    texts = {
        f"{place}.root.{kind}": written[n][kind]
        for n, place in enumerate(("trust.source", "trust.rotation.source"))
        for kind in kinds
    }
    # In the end the new source stands in the old one's place.
    source = {"root": {kind: {"secret": kind} for kind in kinds}}
    state: dict[Any, Any] = {}
    made = {}
    for phase, step in zip(PHASES, rotation_plan(document(*CLUSTERS, trust={"source": source}), "root"), strict=True):
        named = {place: text for place, text in texts.items() if stated(step.document, place)}
        if phase == "end":
            named = {place: texts[place.replace("trust.", "trust.rotation.", 1)] for place in named}
        made[phase] = federation(step.document, answers=remembered(state), texts=named)
    return made


WAYS = {"generated": generated, "own": from_a_root_of_ones_own}


@cache
def leaf(source: str, phase: str, cluster: str) -> Leaf:
    return workload(cacerts(WAYS[source]()[phase])[cluster], cluster)


def moments(before: str, after: str) -> Iterator[dict[str, str]]:
    """The phase of each cluster at each moment of a step, in every order in which they are updated."""
    for order in permutations(CLUSTERS):
        for updated in range(len(order) + 1):
            yield {cluster: after if cluster in order[:updated] else before for cluster in CLUSTERS}


def strangers(source: str, moment: Mapping[str, str], living: int) -> list[str]:
    """Whose workloads are refused where. A workload has a certificate of its cluster's phase, or of one before."""
    carried = {phase: cacerts(graph) for phase, graph in WAYS[source]().items()}
    oldest = min(PHASES.index(phase) for phase in moment.values()) - living + 1
    found = []
    for caller, callee in product(CLUSTERS, repeat=2):
        for number in range(max(oldest, 0), PHASES.index(moment[caller]) + 1):
            roots = carried[moment[callee]][callee]["root-cert.pem"]
            if not accepted(roots, leaf(source, PHASES[number], caller)):
                found.append(f"{caller} ({PHASES[number]}) in {callee} ({moment[callee]})")
    return found


@pytest.mark.parametrize("source", list(WAYS))
@pytest.mark.parametrize(("before", "after"), list(pairwise(PHASES)))
def test_trust_holds_at_every_moment_of_a_step(source: str, before: str, after: str) -> None:
    for moment in moments(before, after):
        assert strangers(source, moment, LIVING[after]) == [], moment


@pytest.mark.parametrize(("before", "after"), [("steady", "switch"), ("add", "retire"), ("add", "end")])
def test_a_skipped_phase_would_break_it(before: str, after: str) -> None:
    """So the verifiers can say no, and the gate has a reason."""
    assert any(strangers("generated", moment, 1) for moment in moments(before, after))


def test_who_does_not_wait_before_the_old_root_goes_breaks_it() -> None:
    """So the plan has a reason to wait for the workloads' certificates to end."""
    assert any(strangers("generated", moment, 2) for moment in moments("switch", "retire"))


@pytest.mark.parametrize("source", list(WAYS))
@pytest.mark.parametrize("phase", PHASES)
def test_what_istiod_checks_holds_in_every_phase(source: str, phase: str) -> None:
    found = {
        cluster: Bundle(pems["ca-cert.pem"], pems["ca-key.pem"], pems["cert-chain.pem"], pems["root-cert.pem"])
        for cluster, pems in cacerts(WAYS[source]()[phase]).items()
    }
    assert set(found) == set(CLUSTERS)
    assert problems(found, datetime.now(UTC) + timedelta(minutes=1)) == ()


@pytest.mark.parametrize("source", list(WAYS))
def test_an_old_istiod_sees_that_a_bundle_has_grown_or_shrunk(source: str) -> None:
    """Before 1.31 it looks whether the text of one bundle is inside of the other's (istio#59909)."""
    texts = [cacerts(graph)["cluster1"]["root-cert.pem"] for graph in WAYS[source]().values()]
    for one, other in pairwise(texts):
        assert one in other or other in one
    assert [text.count("BEGIN") for text in texts] == [1, 2, 2, 1, 1]
    assert texts[0] != texts[-1]


def test_a_signing_certificate_changes_once() -> None:
    signers = [cacerts(graph)["cluster1"]["ca-cert.pem"] for graph in generated().values()]
    assert signers[0] == signers[1] != signers[2] == signers[3] == signers[4]


@cache
def external() -> dict[str, Graph]:
    return way(recipe("external-control-plane"))


class TestServers:
    """API servers and proxies that call an istiod: whatever of both was updated first, they accept its certificate."""

    @pytest.mark.parametrize(("before", "after"), list(pairwise(PHASES)))
    def test_in_front_of_an_external_istiod(self, before: str, after: str) -> None:
        for server, client in product((before, after), repeat=2):
            certificates = [
                item for item in external()[server].of_type(SECRET) if "tls.crt" in item.inputs.get("data", ())
            ]
            (shown,) = [decoded(item)["tls.crt"] for item in certificates]
            own, end, above = shown.partition("-----END CERTIFICATE-----\n")
            for roots in ca_bundles(external()[client]):
                assert accepts_server(roots, Leaf(own + end, above), "istiod.example.com"), (server, client)

    @pytest.mark.parametrize("phase", PHASES)
    def test_webhooks_trust_what_cacerts_trusts(self, phase: str) -> None:
        graph = external()[phase]
        assert ca_bundles(graph) == {pems["root-cert.pem"] for pems in cacerts(graph).values()}


def ca_bundles(graph: Graph) -> set[str]:
    hooks = [item for item in graph.kubernetes() if item.type.endswith("WebhookConfiguration")]
    assert hooks
    clients = [hook["clientConfig"] for item in hooks for hook in item.inputs["webhooks"]]
    return {base64.b64decode(client["caBundle"]).decode() for client in clients}
