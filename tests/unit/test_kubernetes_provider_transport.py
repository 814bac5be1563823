"""How requests are made, without an API server."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from meshctl.local.model import Unreachable
from meshctl.local.providers.kubernetes import transport
from meshctl.local.providers.kubernetes.transport import TOKEN_SECONDS, Patience, Transport


class Configuration:
    """The official client's, which renews a token when it is asked for it."""

    asked = 0

    def get_api_key_with_prefix(self, identifier: str, alias: str) -> str:
        assert (identifier, alias) == ("BearerToken", "authorization")
        self.asked += 1
        return f"Bearer {self.asked}"


class Time:
    """A clock that is set by hand."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


class TestToken:
    """Asking the client for its token costs as much as a request, and it lives for minutes."""

    def test_is_kept_for_a_moment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = Time()
        monkeypatch.setattr(transport, "time", clock)
        east: Any = Transport("east", None)
        east._configuration = Configuration()
        assert [east._current_token() for _ in range(3)] == ["Bearer 1"] * 3
        clock.now += TOKEN_SECONDS
        assert east._current_token() == "Bearer 2"


class Answers(BaseHTTPRequestHandler):
    """Says yes, and hangs up: the next request has to connect again."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


class TestAway:
    """A server that has answered is given time to come back, once: not by each of hundreds of resources."""

    def test_it_is_waited_for_once_until_it_is_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pauses: list[float] = []
        monkeypatch.setattr("time.sleep", pauses.append)
        patience = Patience(pauses=(0.1, 0.2, 0.3))
        with HTTPServer(("127.0.0.1", 0), Answers) as server:
            port = server.server_address[1]
            there = {"clusters": [{"name": "east", "cluster": {"server": f"http://127.0.0.1:{port}"}}]}
            there["contexts"] = [{"name": "east", "context": {"cluster": "east", "user": "me"}}]
            there["users"] = [{"name": "me", "user": {"token": "any"}}]
            east = Transport("east", {**there, "current-context": "east"}, patience=patience)
            self._answered(server, east)
        for waited in ([0.1, 0.2, 0.3], [], []):
            with pytest.raises(Unreachable, match="does not answer"):
                east.request("GET", "/version")
            assert pauses == waited
            pauses.clear()
        with HTTPServer(("127.0.0.1", port), Answers) as server:
            self._answered(server, east)
        with pytest.raises(Unreachable, match="does not answer"):
            east.request("GET", "/version")
        assert pauses == [0.1, 0.2, 0.3]

    def _answered(self, server: HTTPServer, east: Transport) -> None:
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        assert east.request("GET", "/version") == (200, {})
        serving.join()
