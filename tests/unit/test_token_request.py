"""When a token is requested, and what is said of it: the clock and the API server's answers are this test's."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import dill  # type: ignore[import-untyped]
import pytest
from kubernetes.client import ApiException
from pulumi.runtime.rpc import UNKNOWN

from mesh_components.discovery import token_request
from mesh_components.discovery.token_request import TokenRequests
from tests.support.meshes import kubeconfig

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECRET = {"name": "binding", "uid": "u1"}
INPUTS: dict[str, Any] = {
    "kubeconfig": kubeconfig("east"),
    "namespace": "istio-system",
    "account": "reader",
    "lifetimeHours": 720,
    "renewBeforeHours": 240,
    "secret": SECRET,
}


class Server:
    """An API server's answers."""

    def __init__(self) -> None:
        self.now = NOW
        self.longest = timedelta(hours=10_000)
        self.valid = True
        self.failure: Exception | None = None
        self.given = 0

    def ask(self, _: Any, props: dict[str, Any]) -> tuple[str, datetime, str]:
        if self.failure:
            raise self.failure
        self.given += 1
        life = min(self.longest, timedelta(hours=props["lifetimeHours"]))
        return f"token-{self.given}", self.now + life, "PEM"

    def authenticates(self, _kubeconfig: str, _token: str) -> bool:
        if self.failure:
            raise token_request._Unanswered("the API server does not answer")
        return self.valid


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    monkeypatch.setattr(token_request, "_now", lambda: server.now)
    monkeypatch.setattr(token_request, "_ask", server.ask)
    monkeypatch.setattr(token_request, "_authenticates", server.authenticates)
    return server


def made(**changed: Any) -> dict[str, Any]:
    outs = TokenRequests().create({**INPUTS, **changed}).outs
    assert outs is not None
    return outs


def differs(olds: dict[str, Any], **changed: Any) -> bool:
    return bool(TokenRequests().diff("id", olds, {**INPUTS, **changed}).changes)


def test_pulumi_finds_it_by_its_name() -> None:
    """A class that is pickled with its code would differ from one machine to the next."""
    assert len(dill.dumps(TokenRequests(), recurse=True)) < 120


def test_a_fresh_one_is_let_be(server: Server) -> None:
    olds = made()
    assert olds["expires"] == "2026-12-25T12:00:00Z"
    assert not differs(olds)
    assert server.given == 1


@pytest.mark.parametrize(("hours", "due"), [(479, False), (480, True), (2000, True)])
def test_it_is_renewed_in_its_last_hours(server: Server, hours: int, due: bool) -> None:
    olds = made()
    server.now = NOW + timedelta(hours=hours)
    assert differs(olds) is due


@pytest.mark.parametrize(
    "change",
    [{"lifetimeHours": 100}, {"secret": {"name": "binding", "uid": "u2"}}, {"secret": UNKNOWN}, {"account": "other"}],
    ids=str,
)
def test_another_one_is_wanted(server: Server, change: dict[str, Any]) -> None:
    assert differs(made(), **change)
    assert server.given == 1


def test_a_renewed_kubeconfig_or_margin_alone_is_no_reason(server: Server) -> None:
    assert server.valid
    assert not differs(made(), kubeconfig=kubeconfig("moved"), renewBeforeHours=24)
    assert not differs(made(), kubeconfig=UNKNOWN)


def test_only_another_account_replaces(server: Server) -> None:
    assert server.valid
    assert TokenRequests().diff("id", made(), {**INPUTS, "account": "other"}).replaces == ["account"]
    assert TokenRequests().diff("id", made(), {**INPUTS, "lifetimeHours": 1}).replaces == []


def test_one_that_is_refused_is_renewed(server: Server) -> None:
    olds = made()
    server.valid = False
    assert differs(olds)


def test_a_server_that_cannot_be_asked_changes_nothing(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    olds = made()
    server.failure = ConnectionError()
    assert not differs(olds)
    assert "the token of istio-system/reader cannot be tried" in caplog.text


def test_one_that_never_was_accepted_is_not_tried_again(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.valid = False
    assert not differs(made())
    assert "accepts no tokens of the cluster" in caplog.text


def test_less_than_was_asked_for_is_said_and_renewed_in_its_second_half(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.longest = timedelta(hours=24)
    olds = made()
    assert caplog.record_tuples[0][1:] == (
        logging.WARNING,
        "the API server granted the token of istio-system/reader only 24 hours of 720; it is renewed in the last 12",
    )
    assert not differs(olds)
    server.now = NOW + timedelta(hours=12)
    assert differs(olds)


def test_an_update_gives_another_and_takes_none_away(server: Server) -> None:
    olds = made()
    outs = TokenRequests().update("id", olds, INPUTS).outs
    assert outs is not None
    assert (olds["token"], outs["token"]) == ("token-1", "token-2")
    assert server.valid


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (ApiException(status=404), "the API server answers 404;"),
        (ValueError("admin-token-of-east"), "the kubeconfig cannot be used (ValueError);"),
        (OSError("admin-token-of-east"), "the kubeconfig cannot be used (OSError);"),
    ],
    ids=str,
)
def test_a_failure_names_the_account_and_quotes_nothing(server: Server, failure: Exception, said: str) -> None:
    server.failure = failure
    with pytest.raises(RuntimeError, match="no token of istio-system/reader") as raised:
        made()
    assert said in str(raised.value)
    assert "admin-token-of-east" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_the_server_s_own_words_are_passed_on(server: Server) -> None:
    failure = ApiException(status=403)
    failure.body = json.dumps({"message": "serviceaccounts/token is forbidden"})
    server.failure = failure
    with pytest.raises(RuntimeError, match="answers 403 serviceaccounts/token is forbidden"):
        made()
