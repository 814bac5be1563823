"""The rules of `mesh check`, by facts alone: what a lab cannot show (istiods that run, clocks, other topologies), and
that one fault is named once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from mesh_components.policy import Violation
from mesh_components.topology import names
from meshctl.check.asking import synced
from meshctl.check.facts import Answer, Credential, Drift, How, Part, Unread
from meshctl.check.matrix import Cell
from meshctl.check.opened import claimed, opened
from meshctl.check.report import FAILED, GREEN, WARNED
from meshctl.verify.answers import Asked, Round, Target
from tests.support import authorities
from tests.support.mesh_facts import DOCUMENT, NOW, Made, address, healthy, kubeconfig, remote_secret

PRIMARY_REMOTE: Mapping[str, Any] = {
    "id": "mesh1",
    "clusters": [
        {"name": "east", "network": "network1", "kubeconfig": {"secret": "east"}},
        {"name": "west", "network": "network2", "role": "remote", "kubeconfig": {"secret": "west"}},
    ],
}
THREE: Mapping[str, Any] = {
    **DOCUMENT,
    "clusters": [
        *DOCUMENT["clusters"],
        {"name": "north", "network": "network3", "kubeconfig": {"secret": "north"}},
    ],
}
EDGE = "west -> east"
SECRET = names.remote_secret("west")


def token(**said: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


def with_token(made: Made, **said: Any) -> None:
    """What east holds about west."""
    made.drop("east", Part.SECRETS, SECRET)
    made.parts["east"][Part.SECRETS].append(remote_secret("west", kubeconfig("west", token(**said))))


def broken(rule: str, name: str) -> Violation:
    return Violation(rule, f"urn::{name}", name, "the reason", "the fix")


def refused(made: Made, **said: Any) -> None:
    with_token(made, **said)
    made.credentials["west", "east"] = Credential(Answer(How.REFUSED, "https://west.example"))


def set_(made: Made, cluster: str, part: Part, name: str, *path: str, value: Any) -> None:
    found: Any = made.item(cluster, part, name)
    for key in path[:-1]:
        found = found[key]
    found[path[-1]] = value


def calls(heard: Mapping[str, set[str]]) -> Round:
    """One version in each cluster of THREE; who has heard of which clusters. Of others it was not asked."""
    placed = tuple(Target(f"v{i}", name) for i, name in enumerate(("east", "west", "north")))
    asked = [Asked(c, {t: 1 for t in placed if t.cluster in heard[c]}) for c in heard]
    asked += [Asked(c, unasked="no pod with curl is ready") for c in ("east", "west", "north") if c not in heard]
    return Round("http://helloworld.sample:5000/hello", 20, placed, tuple(asked))


Case = tuple[str, str, str, Callable[[Made], Any]]
CASES: tuple[Case, ...] = (
    ("CHECK103", "error", "ca", lambda m: setattr(m, "policies", [broken("root-is-protected", "ca")])),
    ("CHECK104", "warning", "token", lambda m: setattr(m, "policies", [broken("tokens-end", "token")])),
    ("CHECK201", "error", "west", lambda m: m.answers.update(west=Answer(How.SILENT, "https://west.example", "x"))),
    ("CHECK202", "error", "west", lambda m: m.answers.update(west=Answer(How.UNTRUSTED, "https://west.example"))),
    ("CHECK203", "error", "west", lambda m: m.answers.update(west=Answer(How.REFUSED, "https://west.example"))),
    ("CHECK204", "error", "west", lambda m: m.answers.update(west=Answer(How.UNUSABLE, why="it is no YAML"))),
    ("CHECK205", "warning", "west", lambda m: m.parts["west"].update({Part.ACCOUNTS: Unread("403: forbidden")})),
    ("CHECK209", "warning", "west", lambda m: m.clocks.update(west=timedelta(minutes=-3))),
    ("CHECK301", "warning", "west", lambda m: m.versions.update(west="v1.25.16-gke.100")),
    ("CHECK304", "error", "west", lambda m: m.drop("west", Part.DEPLOYMENTS, "istiod")),
    ("CHECK305", "error", "west", lambda m: set_(m, "west", Part.DEPLOYMENTS, "istiod", "status", value={})),
    ("CHECK312", "error", "west", lambda m: m.parts["west"].update({Part.GATEWAYS: Unread("404", absent=True)})),
    ("CHECK507", "error", EDGE, lambda m: refused(m, **{"kubernetes.io": {"serviceaccount": {"uid": "account-east"}}})),
    ("CHECK506", "error", EDGE, lambda m: refused(m, **{"kubernetes.io/serviceaccount/service-account.uid": "gone"})),
    ("CHECK506", "error", EDGE, refused),
    ("CHECK505", "error", EDGE, lambda m: with_token(m, exp=NOW.timestamp() - 1)),
    ("CHECK509", "warning", EDGE, lambda m: with_token(m, exp=(NOW + timedelta(days=2)).timestamp())),
    ("CHECK606", "error", "west", lambda m: m.parts["west"].update({Part.PODS: []})),
    ("CHECK604", "error", "west", lambda m: m.closed.update({(address("west"), 15443): "timed out"})),
    ("CHECK701", "error", "west", lambda m: m.drop("west", Part.INJECTORS, "istio-sidecar-injector")),
    ("CHECK801", "error", EDGE, lambda m: m.views["east"]["istiod-1"].update(west="timeout")),
    ("CHECK802", "error", EDGE, lambda m: m.views["east"]["istiod-1"].pop("west")),
    ("CHECK801", "error", EDGE, lambda m: m.views["east"].update({"istiod-2": {"west": "syncing"}})),
    (
        "CHECK803",
        "error",
        "east to west",
        lambda m: setattr(m, "requests", calls({"east": {"east"}, "west": {"east", "west"}})),
    ),
)


class TestOneMesh:
    """Two primaries with istiods that run."""

    def test_nothing_is_wrong_and_nothing_unknown(self) -> None:
        found = healthy().judged()
        assert (found.problems, found.unknown, found.exit_code) == ((), (), GREEN)
        assert {(p.declared, p.credential, p.seen, p.path) for p in found.pairs} == {
            (Cell.YES, Cell.YES, Cell.YES, Cell.UNKNOWN)
        }

    @pytest.mark.parametrize(("code", "severity", "where", "change"), CASES)
    def test_a_fault_is_named_once(self, code: str, severity: str, where: str, change: Callable[[Made], Any]) -> None:
        made = healthy()
        change(made)
        found = made.judged()
        assert [(one.code, one.severity, one.where) for one in found.problems] == [(code, severity, where)]
        assert found.exit_code == (FAILED if severity == "error" else WARNED)
        assert all(one.fix and one.cause for one in found.problems)


class TestSilence:
    """A cluster that does not answer hides what is in it, and nothing of the others."""

    def test_the_rest_is_judged(self) -> None:
        made = healthy()
        made.answers["west"] = Answer(How.SILENT, "https://west.example", "refused")
        made.credentials["west", "east"] = Credential(Answer(How.SILENT, "https://west.example", "refused"))
        made.drop("east", Part.SECRETS, names.CACERTS)
        found = made.judged()
        assert {(one.code, one.where) for one in found.problems} == {("CHECK201", "west"), ("CHECK401", "east")}
        assert {one.where for one in found.unknown if one.code == "CHECK401"} == {"west"}
        assert {one.where for one in found.unknown if one.code == "CHECK506"} == {EDGE}

    def test_a_cluster_that_is_late(self) -> None:
        made = healthy()
        made.late.add("west")
        made.parts["west"] = {part: Unread("no answer in time") for part in Part}
        made.views.pop("west")
        found = made.judged()
        assert [(one.code, one.where) for one in found.problems] == [("CHECK206", "west")]

    def test_an_internal_gateway_is_not_called_closed_from_outside(self) -> None:
        document = {**DOCUMENT, "clusters": [dict(cluster) for cluster in DOCUMENT["clusters"]]}
        document["clusters"][1]["eastWest"] = {"loadBalancer": "internal"}
        made = healthy(document)
        made.closed.update({(address("west"), port): "timed out" for port in (15021, 15443)})
        found = made.judged()
        assert found.problems == ()
        assert {(one.code, one.where) for one in found.unknown} == {("CHECK604", "west")}

    def test_nothing_is_missing_before_anything_was_applied(self) -> None:
        made = healthy()
        made.applied = False
        for cluster in ("east", "west"):
            for part in (Part.SECRETS, Part.SERVICES, Part.NAMESPACE, Part.DEPLOYMENTS, Part.GATEWAYS):
                made.parts[cluster][part] = []
        found = made.judged()
        assert found.problems == ()
        assert {pair.credential for pair in found.pairs} == {Cell.UNKNOWN}


class TestRemote:
    """A remote is served by an istiod elsewhere."""

    def test_nothing_is_wrong(self) -> None:
        found = healthy(PRIMARY_REMOTE).judged()
        assert found.problems == ()
        declared = {(pair.reader, pair.source): pair.declared for pair in found.pairs}
        assert declared == {("east", "west"): Cell.YES, ("west", "east"): Cell.NO}

    def test_it_has_to_name_its_control_plane(self) -> None:
        made = healthy(PRIMARY_REMOTE)
        made.item("west", Part.NAMESPACE, "istio-system")["metadata"]["annotations"] = {}
        assert [(one.code, one.where) for one in made.judged().problems] == [("CHECK313", "west")]

    def test_its_workloads_have_the_roots_of_the_istiod_that_serves_it(self) -> None:
        made = healthy(PRIMARY_REMOTE)
        other = authorities.root(authorities.key(number=7)).pem
        made.parts["west"][Part.ROOTS][0]["data"]["root-cert.pem"] = other
        assert [(one.code, one.where) for one in made.judged().problems] == [("CHECK411", "west")]

    def test_the_gateway_has_to_let_remotes_in(self) -> None:
        made = healthy(PRIMARY_REMOTE)
        made.drop("east", Part.GATEWAYS, "istiod-gateway")
        assert [(one.code, one.where) for one in made.judged().problems] == [("CHECK607", "east")]


class TestRoots:
    """Of clusters with different roots, the odd one is named."""

    def _stranger(self, made: Made, cluster: str) -> None:
        root = authorities.root(authorities.key(number=7), name="Other CA")
        own = authorities.intermediate(root, authorities.key(number=8))
        texts = {"ca-cert.pem": own.pem, "ca-key.pem": own.key, "cert-chain.pem": own.chain, "root-cert.pem": root.pem}
        data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        made.item(cluster, Part.SECRETS, names.CACERTS)["data"] = data
        made.parts[cluster][Part.ROOTS] = []
        made.parts[cluster][Part.INJECTORS][0]["webhooks"][0]["clientConfig"]["caBundle"] = data["root-cert.pem"]

    def test_the_one_against_many(self) -> None:
        made = healthy(THREE)
        self._stranger(made, "east")
        assert [(one.code, one.where) for one in made.judged().problems] == [("CHECK407", "east")]

    def test_of_two_the_one_that_was_changed(self) -> None:
        made = healthy()
        self._stranger(made, "east")
        made.drift = (Drift("east", "Secret", "istio-system/cacerts", fields=("data: a -> b",)),)
        (problem,) = made.judged().problems
        assert (problem.code, problem.where) == ("CHECK407", "east")
        assert "mesh up" in problem.fix

    def test_of_two_without_a_state_both(self) -> None:
        made = healthy()
        self._stranger(made, "east")
        made.drift = Unread("no state")
        assert [(one.code, one.where) for one in made.judged().problems] == [("CHECK407", "east, west")]


class TestIstiodsView:
    """Metrics, where istiod asks callers who they are and the API server's proxy takes that away."""

    def test_states_of_clusters(self) -> None:
        text = (
            "# HELP istiod_remote_cluster_sync_status Current\n"
            'istiod_remote_cluster_sync_status{cluster="west",cluster_type="remote",status="synced"} 1\n'
            'istiod_remote_cluster_sync_status{cluster="west",cluster_type="remote",status="timeout"} 0\n'
            'istiod_remote_cluster_sync_status{cluster="north",cluster_type="remote",status="timeout"} 1\n'
            'pilot_info{version="1.30.3"} 1\n'
        )
        assert synced(text) == {"west": "synced", "north": "timeout"}

    def test_an_istiod_that_does_not_tell(self) -> None:
        assert isinstance(synced('pilot_info{version="1.28.0"} 1\n'), Unread)


class TestRequests:
    """What HelloWorld's clients were answered, where they were asked."""

    def test_answers_from_everywhere(self) -> None:
        made = healthy(THREE)
        every = {"east", "west", "north"}
        made.requests = calls(dict.fromkeys(sorted(every), every))
        found = made.judged()
        assert (found.problems, found.unknown) == ((), ())
        assert {pair.path for pair in found.pairs} == {Cell.YES}

    def test_who_could_not_be_asked(self) -> None:
        made = healthy()
        made.requests = calls({"west": {"east", "west"}})
        found = made.judged()
        assert found.problems == ()
        assert [(one.code, one.where) for one in found.unknown] == [("CHECK803", "east")]
        assert "no pod with curl is ready" in found.unknown[0].why
        assert {pair.reader: pair.path for pair in found.pairs} == {"east": Cell.UNKNOWN, "west": Cell.YES}

    def test_what_is_explained_is_not_named_again(self) -> None:
        made = healthy()
        made.drop("east", Part.SECRETS, SECRET)
        made.requests = calls({"east": {"east"}, "west": {"east", "west"}})
        found = made.judged()
        assert [one.code for one in found.problems] == ["CHECK501"]
        assert {pair.reader: pair.path for pair in found.pairs} == {"east": Cell.NO, "west": Cell.YES}

    def test_workloads_of_a_remote_are_heard_of_too(self) -> None:
        made = healthy(PRIMARY_REMOTE)
        made.requests = calls({"east": {"east", "west"}, "west": {"west"}})
        found = made.judged()
        assert [(one.code, one.where) for one in found.problems] == [("CHECK803", "west to east")]
        assert {pair.reader: pair.path for pair in found.pairs} == {"east": Cell.YES, "west": Cell.NO}

    def test_nobody_asked_for_it(self) -> None:
        made = healthy()
        assert "CHECK803" in made.judged().checks
        made.requests = None
        assert "CHECK803" not in made.judged().checks


class TestClaims:
    """Nothing that stands where a token is expected makes the check fail."""

    @pytest.mark.parametrize("text", ["", "no-token", "a.b.c", "e30.WzFd.c2ln", "..", "a.b"])
    def test_what_is_no_token_says_nothing(self, text: str) -> None:
        assert claimed(text) == claimed("")
        assert opened(kubeconfig("a", text)).usable

    @pytest.mark.parametrize("text", ["", "{}", "a: [", "clusters: 1", "\x00"])
    def test_what_is_no_kubeconfig_is_told(self, text: str) -> None:
        assert opened(text).error
        assert not opened(text).usable

    def test_a_token_of_today(self) -> None:
        said = opened(kubeconfig("a", token(exp=0, **{"kubernetes.io": {"serviceaccount": {"uid": "u"}}}))).claims
        assert said.account == "u"
        assert said.ends is not None
        assert said.ends.year == 1970
