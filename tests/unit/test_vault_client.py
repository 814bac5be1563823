"""What is said to Vault, and what is made of its answers, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh_components.trust.vault_client import Vault, VaultError
from tests.support import authorities
from tests.support.vault import DENIED, JWT, ROLE_ID, SEALED, SECRET_ID, TOKEN, SmallVault, running

SIGN = "pki/root/sign-intermediate"
BODY = {"csr": "x"}


@pytest.fixture
def server() -> Iterator[SmallVault]:
    with running(SmallVault(authorities.root())) as vault:
        yield vault


def client(server: SmallVault, waits: list[float] | None = None, **over: object) -> Vault:
    kept = [] if waits is None else waits
    return Vault(server.address, timeout=5, sleep=kept.append, **over)  # type: ignore[arg-type]


class TestLogins:
    def test_a_token_is_used_as_it_is(self, server: SmallVault) -> None:
        assert client(server).token({"token": f"{TOKEN}\n"}) == TOKEN
        assert server.asked == []

    @pytest.mark.parametrize(
        "login",
        [
            {"path": "auth/approle/login", "body": {"role_id": ROLE_ID, "secret_id": SECRET_ID}},
            {"path": "auth/kubernetes/login", "body": {"role": "mesh", "jwt": JWT}},
        ],
    )
    def test_a_login_gives_one(self, server: SmallVault, login: dict[str, object]) -> None:
        assert client(server).token(login) == TOKEN
        assert "X-Vault-Token" not in server.asked[0][2]

    def test_a_refused_login_quotes_nothing(self, server: SmallVault) -> None:
        """Vault's own words may have what was sent in them."""
        login = {"path": "auth/approle/login", "body": {"role_id": ROLE_ID, "secret_id": "wrong-secret"}}
        with pytest.raises(VaultError, match="the login was refused") as raised:
            client(server).token(login)
        assert "wrong-secret" not in str(raised.value)


class TestErrors:
    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (DENIED, "lacks `update` on this path; Vault says: 1 error occurred: .* permission denied"),
            (SEALED, "Vault is sealed; unseal it"),
            ((404, {"errors": []}), "no such path; look at `mount`"),
            ((405, {"errors": ["unsupported operation"]}), "signs nothing"),
            (
                (400, {"errors": ["the TTL would result in notAfter beyond the CA"]}),
                "beyond the CA",
            ),
            ((200, "<html>"), "the answer is no JSON"),
            ((307, "", {"Location": "/v1/elsewhere"}), "sent from one server to the next"),
        ],
    )
    def test_are_in_words(self, server: SmallVault, answer: tuple[object, ...], words: str) -> None:
        server.instead = [(*answer, {})[:3]] * 4  # type: ignore[list-item]
        with pytest.raises(VaultError, match=words) as raised:
            client(server).post(SIGN, BODY, TOKEN)
        assert SIGN in str(raised.value)
        assert TOKEN not in str(raised.value)

    @pytest.mark.parametrize("status", [429, 472, 473, 500, 502, 503])
    def test_who_is_busy_is_asked_again(self, server: SmallVault, status: int) -> None:
        server.instead = [(status, {"errors": ["later"]}, {}), (200, {"data": {}}, {})]
        waits: list[float] = []
        assert client(server, waits).post(SIGN, BODY, TOKEN) == {"data": {}}
        assert waits == [0.5]

    def test_as_late_as_it_asks_for(self, server: SmallVault) -> None:
        server.instead = [(429, {}, {"Retry-After": "7"}), (429, {}, {"Retry-After": "9999"}), (200, {}, {})]
        waits: list[float] = []
        client(server, waits).post(SIGN, BODY, TOKEN)
        assert waits == [7, 30]

    def test_and_not_for_ever(self, server: SmallVault) -> None:
        server.instead = [(503, {"errors": ["standby"]}, {})] * 9
        waits: list[float] = []
        with pytest.raises(VaultError, match=r"the answer is 503, asked 4 times"):
            client(server, waits).post(SIGN, BODY, TOKEN)
        assert len(waits) == 3

    def test_who_is_not_there_is_named(self) -> None:
        with running(SmallVault(authorities.root())) as gone:
            pass
        with pytest.raises(VaultError, match=r"the server is not reached .*, asked 4 times"):
            client(gone).post(SIGN, BODY, TOKEN)

    def test_the_active_server_is_followed_to(self, server: SmallVault) -> None:
        server.instead = [(307, "", {"Location": f"{server.address}/v1/{SIGN}"}), (200, {"data": {"a": 1}}, {})]
        assert client(server).post(SIGN, BODY, TOKEN) == {"data": {"a": 1}}


class TestHttps:
    def test_the_named_ca_is_trusted(self, tmp_path: Path) -> None:
        with running(SmallVault(authorities.root()), tmp_path) as vault:
            vault.instead = [(200, {"data": {}}, {})]
            assert client(vault, ca=(tmp_path / "ca.pem").read_text()).post(SIGN, BODY, TOKEN) == {"data": {}}

    def test_no_other_is(self, tmp_path: Path) -> None:
        with running(SmallVault(authorities.root()), tmp_path) as vault:
            with pytest.raises(VaultError, match="certificate is not verified; name its root as `ca`"):
                client(vault, ca=authorities.root().pem).post(SIGN, BODY, TOKEN)
            assert vault.asked == []

    def test_no_token_goes_on_to_plain_http(self, tmp_path: Path) -> None:
        with running(SmallVault(authorities.root()), tmp_path) as vault:
            vault.instead = [(307, "", {"Location": "http://127.0.0.1:1/v1/x"})]
            with pytest.raises(VaultError, match="sent on to a server without HTTPS"):
                client(vault, ca=(tmp_path / "ca.pem").read_text()).post(SIGN, BODY, TOKEN)

    def test_a_ca_that_is_no_pem(self) -> None:
        with pytest.raises(VaultError, match="holds no certificate in PEM"):
            Vault("https://127.0.0.1:1", ca="nothing").post(SIGN, BODY, TOKEN)
