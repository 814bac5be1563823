"""What is not there is told by one list instead of by many requests; that something is there, never."""

from typing import Any

import pytest

from meshctl.local.providers.kubernetes import absence
from meshctl.local.providers.kubernetes.cluster import Cluster, Kind
from meshctl.local.providers.kubernetes.errors import ApiError

MAPS = "/api/v1/namespaces/n/configmaps"


class Server:
    """Answers as an API server that holds these config maps, and notes what it was asked."""

    def __init__(self, *names: str) -> None:
        self.names = set(names)
        self.asked: list[str] = []
        self.more = ""
        self.may_list = True

    def request(self, method: str, path: str, query: Any = None, **_: Any) -> tuple[int, dict[str, Any]]:
        assert method == "GET"
        self.asked.append(path.removeprefix(MAPS) or "list")
        if query is not None:
            if not self.may_list:
                raise ApiError(403, {"reason": "Forbidden"})
            items = [{"metadata": {"name": name}} for name in sorted(self.names)]
            return 200, {"metadata": {"continue": self.more}, "items": items}
        if (name := path.rpartition("/")[2].replace("%3A", ":")) in self.names:
            return 200, {"metadata": {"name": name}}
        raise ApiError(404, {"reason": "NotFound"})


class Time:
    """A clock that is set by hand."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    clock = Time()
    monkeypatch.setattr(absence, "time", clock)
    return clock


def cluster(server: Server) -> Cluster:
    return Cluster("east", server)  # type: ignore[arg-type]


def path(name: str) -> str:
    return Cluster.path(cluster(Server()), "v1", Kind("configmaps", namespaced=True), "n", name)


class TestAbsences:
    """One list for many that are not there."""

    def test_after_a_few_one_list_answers_for_the_rest(self) -> None:
        server = Server()
        east = cluster(server)
        assert [east.find(path(f"new-{number}")) for number in range(50)] == [None] * 50
        assert server.asked == ["/new-0", "/new-1", "list"]

    def test_what_is_there_is_asked_for_itself(self) -> None:
        server = Server("a", "x:y")
        east = cluster(server)
        for number in range(3):
            east.find(path(f"new-{number}"))
        for name in ("a", "x:y"):
            found = east.find(path(name))
            assert found is not None
            assert found["metadata"]["name"] == name
        assert server.asked[-2:] == ["/a", "/x%3Ay"]

    def test_a_list_is_believed_for_a_moment_only(self, time: Time) -> None:
        server = Server()
        east = cluster(server)
        for number in range(3):
            east.find(path(f"new-{number}"))
        server.names.add("late")
        time.now += absence.SECONDS
        assert east.find(path("late")) is not None
        assert server.asked[-2:] == ["list", "/late"]

    def test_where_nothing_is_missing_nothing_is_listed(self) -> None:
        server = Server(*"abcdef")
        east = cluster(server)
        assert all(east.find(path(name)) for name in "abcdef")
        assert "list" not in server.asked

    @pytest.mark.parametrize("why", ["forbidden", "too long"])
    def test_without_a_whole_list_each_is_asked_for(self, why: str) -> None:
        server = Server("z")
        server.may_list, server.more = why != "forbidden", "more" if why == "too long" else ""
        east = cluster(server)
        assert [east.find(path(name)) for name in "abcd"] == [None] * 4
        assert east.find(path("z")) is not None
        assert server.asked == ["/a", "/b", "list", "/c", "/d", "/z"]
