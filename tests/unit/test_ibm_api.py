"""What IBM Cloud is asked, and what is made of its answers, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from mesh_components.clusters import ibm_api
from mesh_components.clusters.ibm_api import Ibm, IbmError, UnsureError
from tests.support.ibm import ACCOUNT, FORBIDDEN, KEY, NOT_FOUND, SILENT, THROTTLED, Answer, SmallIbm, running

GET = "/v2/vpc/getCluster"
CREATE = "/v2/vpc/createCluster"


@pytest.fixture
def server() -> Iterator[SmallIbm]:
    with running(SmallIbm()) as ibm:
        yield ibm


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    kept: list[float] = []
    monkeypatch.setattr(ibm_api, "pause", kept.append)
    return kept


def client(server: SmallIbm, key: str = KEY, group: str | None = None) -> Ibm:
    return Ibm(key, server.address, f"{server.address}/global", group, timeout=5)


class TestToken:
    def test_one_is_had_for_the_key_and_used_until_it_ends(self, server: SmallIbm) -> None:
        api = client(server)
        assert api.get(GET, cluster="a") is None
        assert api.get(GET, cluster="b") is None
        assert len(server.requests("/identity/token")) == 1
        assert {item.headers["Authorization"] for item in server.asked[1:]} == {f"Bearer {next(iter(server.tokens))}"}

    def test_one_that_was_withdrawn_is_replaced_once(self, server: SmallIbm) -> None:
        api = client(server)
        api.get(GET, cluster="a")
        server.tokens.clear()
        assert api.get(GET, cluster="a") is None
        assert len(server.requests("/identity/token")) == 2

    def test_one_that_ends_soon_is_not_used(self, server: SmallIbm, monkeypatch: pytest.MonkeyPatch) -> None:
        api = client(server)
        api.get(GET, cluster="a")
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 3500)
        api.get(GET, cluster="a")
        assert len(server.requests("/identity/token")) == 2

    def test_it_says_whose_it_is(self, server: SmallIbm) -> None:
        assert client(server).account == ACCOUNT

    def test_a_key_that_is_none_is_said_and_not_quoted(self, server: SmallIbm, waits: list[float]) -> None:
        """IBM's own words may have what was sent in them."""
        with pytest.raises(IbmError, match=r"the API key is refused \(400\).*api-key-create") as raised:
            client(server, "wrong-secret-key").get(GET, cluster="a")
        assert raised.value.no_rights
        assert "wrong-secret-key" not in str(raised.value)
        assert waits == []

    def test_too_many_logins_wait_as_long_as_is_asked(self, server: SmallIbm, waits: list[float]) -> None:
        server.instead = [("/identity/token", THROTTLED)] * 2
        client(server).get(GET, cluster="a")
        assert waits == [7, 7]


class TestErrors:
    def test_no_rights_are_said_with_what_is_needed(self, server: SmallIbm, waits: list[float]) -> None:
        server.instead = [("/global", FORBIDDEN)]
        with pytest.raises(IbmError, match=r"has no right to this \(403\).*incident i-403.*Administrator") as raised:
            client(server).post(CREATE, {})
        assert raised.value.no_rights
        assert str(raised.value).startswith(f"IBM Cloud POST {CREATE}: ")
        assert waits == []

    def test_throttling_waits_as_long_as_is_asked_and_not_longer(self, server: SmallIbm, waits: list[float]) -> None:
        late: Answer = (429, {}, {"Retry-After": "9999"})
        server.instead = [("/global", THROTTLED), ("/global", late), ("/global", (429, {}, {}))]
        assert client(server).get(GET, cluster="a") is None
        assert waits == [7, 60, 4]

    @pytest.mark.parametrize("answer", [SILENT, (500, {}, {}), (503, {"description": "busy"}, {})])
    def test_who_does_not_answer_is_asked_again(
        self, server: SmallIbm, waits: list[float], answer: tuple[int, object, dict[str, str]]
    ) -> None:
        server.instead = [("/global", answer)] * 2
        assert client(server).get(GET, cluster="a") is None
        assert waits == [1, 2]

    def test_and_not_for_ever(self, server: SmallIbm, waits: list[float]) -> None:
        server.instead = [("/global", (502, "<html>", {}))] * ibm_api.TRIES
        with pytest.raises(IbmError, match=r"the answer is 502, asked 6 times; .*run again later"):
            client(server).get(GET, cluster="a")
        assert len(waits) == ibm_api.TRIES - 1

    @pytest.mark.parametrize("answer", [SILENT, (504, {}, {}), (409, {}, {})])
    def test_what_may_have_been_done_is_not_asked_again(
        self, server: SmallIbm, waits: list[float], answer: tuple[int, object, dict[str, str]]
    ) -> None:
        server.instead = [("/global", answer)]
        with pytest.raises(UnsureError, match="may have been done all the same"):
            client(server).post(CREATE, {}, once=True)
        assert len(server.requests(f"/global{CREATE}")) == 1
        assert waits == []

    def test_a_throttled_one_was_not_done(self, server: SmallIbm, waits: list[float]) -> None:
        server.instead = [("/global", THROTTLED), ("/global", (201, {"clusterID": "c"}, {}))]
        assert client(server).post(CREATE, {}, once=True) == {"clusterID": "c"}
        assert waits == [7]

    def test_deleting_what_is_gone_is_success(self, server: SmallIbm) -> None:
        client(server).delete("/v1/clusters/gone")

    def test_who_is_not_there_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ibm_api, "pause", lambda _: None)
        with running(SmallIbm()) as gone:
            pass
        with pytest.raises(IbmError, match=r"identity/token: there was no answer \(.*Error\), asked 6 times"):
            client(gone).get(GET, cluster="a")

    def test_no_message_has_key_or_token(self, server: SmallIbm) -> None:
        api = client(server)
        api.get(GET, cluster="a")
        token = next(iter(server.tokens))
        said = {"code": "E1", "description": f"the key {KEY} and the token {token}\n are wrong"}
        server.instead = [("/global", (400, said, {}))]
        with pytest.raises(IbmError, match="IBM says: E1 the key … and the token … are wrong") as raised:
            api.get(GET, cluster="a")
        assert KEY not in f"{raised.value} {api!r}"
        assert token not in f"{raised.value} {api!r}"


def test_the_resource_group_is_said(server: SmallIbm) -> None:
    server.instead = [("/global", NOT_FOUND)]
    client(server, group="group-1").get(GET, cluster="a")
    assert server.asked[-1].headers["X-Auth-Resource-Group"] == "group-1"
