"""How requests are made, without an API server."""

from typing import Any

import pytest

from meshctl.local.providers.kubernetes import transport
from meshctl.local.providers.kubernetes.transport import TOKEN_SECONDS, Transport


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
