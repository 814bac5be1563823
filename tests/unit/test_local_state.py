"""State, lock and secrets at rest: what is written comes back, and what is broken is said and left alone."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from meshctl.local import passphrase
from meshctl.local.lock import locked
from meshctl.local.model import Op, Options, Record
from meshctl.local.passphrase import Crypter, PassphraseError, from_environment
from meshctl.local.state import StateError, Store
from tests.support.toy import Desk, ops

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PROPERTIES = st.dictionaries(st.text("abcxyz", min_size=1, max_size=3), PLAIN, max_size=3)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def store(path: Path, phrase: str | None = "open sesame") -> Store:
    return Store(path, "tiny/dev", lambda salt: Crypter(phrase, salt, str(path)))


def record(name: str = "a", **changes: Any) -> Record:
    values: dict[str, Any] = {
        "urn": f"urn:pulumi:dev::tiny::toy:index:Thing::{name}",
        "type": "toy:index:Thing",
        "name": name,
        "custom": True,
        "parent": "",
        "provider": "",
        "inputs": {"n": 1},
        "secret_inputs": frozenset(),
        "dependencies": (),
        "id": name,
        "outputs": {"n": 1, "key": "hush-hush"},
        "secret_outputs": frozenset({"key"}),
    }
    return Record(**values | changes)


@st.composite
def records(draw: st.DrawFn) -> Record:
    inputs, outputs = draw(PROPERTIES), draw(PROPERTIES)
    return record(
        draw(st.text(min_size=1, max_size=5)),
        inputs=inputs,
        outputs=outputs,
        secret_inputs=frozenset(draw(st.sets(st.sampled_from(sorted(inputs)))) if inputs else ()),
        secret_outputs=frozenset(draw(st.sets(st.sampled_from(sorted(outputs)))) if outputs else ()),
        dependencies=tuple(draw(st.lists(st.text(max_size=4), max_size=2))),
        pending=draw(st.none() | st.sampled_from(Op)),
        options=Options(
            protect=draw(st.booleans()),
            ignore_changes=tuple(draw(st.lists(st.text(max_size=4), max_size=2))),
            replacement_trigger=draw(PLAIN),
            timeouts=draw(st.dictionaries(st.sampled_from(["create", "delete"]), st.integers(1, 9))),
        ),
    )


class TestWhatIsWritten:
    """A record is the same after it was written and read, secrets and all."""

    @settings(max_examples=40)
    @given(st.lists(records(), max_size=4, unique_by=attrgetter("urn")))
    def test_comes_back(self, tmp_path_factory: pytest.TempPathFactory, given_records: Any) -> None:
        path = tmp_path_factory.mktemp("state") / "s.json"
        first = store(path)
        for item in given_records:
            first.put(item)
        second = store(path)
        second.load()
        assert second.records == {item.urn: item for item in given_records}

    def test_what_was_replaced_comes_back_too(self, tmp_path: Path) -> None:
        first = store(tmp_path / "s.json")
        first.put(record(id="new"), doom=record(id="old"))
        second = store(tmp_path / "s.json")
        second.load()
        assert [item.id for item in second.records.values()] == ["new"]
        assert [item.id for item in second.doomed.values()] == ["old"]
        second.drop(record(id="old"), doomed=True)
        third = store(tmp_path / "s.json")
        third.load()
        assert third.doomed == {}

    def test_is_for_this_user_alone_and_holds_no_secret(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "down" / "s.json"
        store(path).put(record())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}
        assert "hush-hush" not in path.read_text()
        assert [item.name for item in path.parent.iterdir()] == ["s.json"]

    def test_is_in_the_form_pulumi_seals_secrets(self, tmp_path: Path) -> None:
        """An opener of our own: PBKDF2-HMAC-SHA256, AES-256-GCM, and the value as JSON inside."""
        store(tmp_path / "s.json").put(record())
        raw = json.loads((tmp_path / "s.json").read_text())
        version, salt, *check = raw["salt"].split(":")
        key = hashlib.pbkdf2_hmac("sha256", b"open sesame", base64.b64decode(salt), passphrase.ITERATIONS, 32)

        def opened(sealed: list[str]) -> str:
            assert sealed[0] == "v1"
            return AESGCM(key).decrypt(base64.b64decode(sealed[1]), base64.b64decode(sealed[2]), None).decode()

        secret = raw["resources"][0]["outputs"]["key"]
        assert (version, opened(check)) == ("v1", "pulumi")
        assert secret["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"
        assert json.loads(opened(secret["ciphertext"].split(":"))) == "hush-hush"

    def test_the_state_before_is_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "s.json"
        store(path).put(record("a"))
        before = path.read_text()
        second = store(path)
        second.load()
        second.put(record("b"))
        second.put(record("c"))
        assert (tmp_path / "s.json.bak").read_text() == before

    def test_steps_share_writes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """While one write is on its way, whatever comes meanwhile goes into the next one together."""
        shared = store(tmp_path / "s.json")
        written: list[int] = []
        gate = threading.Event()
        write = shared._write

        def slow(texts: Iterable[bytes]) -> None:
            texts = list(texts)
            written.append(len(texts))
            if len(written) == 1:
                gate.wait()
            write(texts)

        monkeypatch.setattr(shared, "_write", slow)
        with ThreadPoolExecutor(9) as pool:
            first = pool.submit(shared.put, record("first"))
            while not written:
                pass
            rest = [pool.submit(shared.put, record(f"r{i}")) for i in range(8)]
            while shared._ticket < 9:
                pass
            gate.set()
            for future in (first, *rest):
                future.result()
        assert written == [1, 9]
        again = store(tmp_path / "s.json")
        again.load()
        assert len(again.records) == 9

    def test_what_is_not_waited_for_is_in_the_next_write(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """So what leans on a step is never on disk without it, whenever the process is killed."""
        path = tmp_path / "s.json"
        shared = store(path)
        gate = threading.Event()
        commit = shared._commit

        def held(ticket: int) -> None:
            if threading.current_thread().name.startswith("state"):
                gate.wait()
            commit(ticket)

        monkeypatch.setattr(shared, "_commit", held)
        shared.put(record("ended"), wait=False)
        assert not path.exists()
        shared.put(record("after"))
        again = store(path)
        again.load()
        assert {item.name for item in again.records.values()} == {"ended", "after"}
        gate.set()

    def test_flush_waits_for_what_was_not_waited_for(self, tmp_path: Path) -> None:
        first = store(tmp_path / "s.json")
        for number in range(20):
            first.put(record(f"r{number}"), wait=False)
        first.flush()
        again = store(tmp_path / "s.json")
        again.load()
        assert len(again.records) == 20

    def test_a_new_key_is_begun_and_not_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only that of a salt that is there already can be wrong."""
        gate = threading.Event()
        derive = passphrase.key

        def slow(*args: Any) -> bytes:
            gate.wait()
            return derive(*args)

        monkeypatch.setattr(passphrase, "key", slow)
        crypter = Crypter("open sesame", None, "x")
        crypter.check()
        gate.set()
        assert crypter.open(crypter.seal("hush")) == "hush"
        Crypter("open sesame", crypter.salt, "x").check()
        with pytest.raises(PassphraseError, match="incorrect passphrase"):
            Crypter("close sesame", crypter.salt, "x").check()
        with pytest.raises(PassphraseError, match="no passphrase is given"):
            Crypter(None, None, "x").check()

    def test_a_disk_that_is_full_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "fsync", lambda _fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(StateError, match=r"cannot be written.*No space left"):
            store(tmp_path / "s.json").put(record())
        unheard = store(tmp_path / "s.json")
        unheard.put(record(), wait=False)
        with pytest.raises(StateError, match=r"cannot be written.*No space left"):
            unheard.flush()


class TestWhatIsBroken:
    """Is named with its file and the way out, and nothing is changed."""

    @pytest.mark.parametrize(
        ("spoil", "what"),
        [
            (lambda text: text[: len(text) // 2], "cut off"),
            (lambda text: text.replace('"version": 1', '"version": 99'), "version 99"),
            (lambda _text: "[]", "not a state of"),
            (lambda _text: "", "not JSON"),
            (lambda text: text.replace('"stack": "dev"', '"stack": "prod"'), "state of tiny/prod"),
            (lambda text: text.replace('"urn":', '"nru":'), "a resource in it is damaged"),
        ],
    )
    def test_state_file(self, desk: Desk, spoil: Any, what: str) -> None:
        desk.up('Thing("a")')
        desk.up('Thing("a", n=2)')
        broken = spoil(desk.state_file.read_text())
        desk.state_file.write_text(broken)
        for command in (desk.preview, desk.up, desk.destroy):
            with pytest.raises(StateError, match=rf"dev.json: .*{what}.*restore it from .*dev.json.bak"):
                command()
        assert desk.state_file.read_text() == broken
        assert desk.world.names() == {"a"}

    def test_wrong_passphrase(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.up('Thing("a", k=Output.secret("x"))')
        before = desk.state_file.read_text()
        monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")
        with pytest.raises(PassphraseError, match=r"dev.json: incorrect passphrase; nothing was changed"):
            desk.up()
        assert desk.state_file.read_text() == before

    def test_no_passphrase(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
        desk.up('Thing("a")')
        with pytest.raises(PassphraseError, match="no passphrase is given: set PULUMI_CONFIG_PASSPHRASE"):
            desk.up('Thing("b", k=Output.secret("x"))')
        assert desk.world.names() == {"a"}, "said before anything was made"

    def test_a_secret_that_was_tampered_with(self, tmp_path: Path) -> None:
        store(tmp_path / "s.json").put(record())
        raw = json.loads((tmp_path / "s.json").read_text())
        sealed = raw["resources"][0]["outputs"]["key"]["ciphertext"]
        raw["resources"][0]["outputs"]["key"]["ciphertext"] = sealed[:-6] + "AAAA=="
        (tmp_path / "s.json").write_text(json.dumps(raw))
        with pytest.raises(PassphraseError, match="is damaged"):
            store(tmp_path / "s.json").load()

    def test_passphrase_file(self, tmp_path: Path) -> None:
        (tmp_path / "p").write_text("  sesame\n")
        assert from_environment({"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "p")}) == "sesame"
        assert from_environment({"PULUMI_CONFIG_PASSPHRASE": ""}) == ""
        assert from_environment({}) is None
        with pytest.raises(PassphraseError, match=r"cannot be read"):
            from_environment({"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "none")})


class TestLock:
    """One run at a time."""

    def test_a_second_run_is_refused(self, desk: Desk) -> None:
        desk.program('Thing("a")')
        refused = []

        def during(_op: str, _name: str) -> None:
            try:
                desk.session().up(lambda _planned: True)
            except StateError as error:
                refused.append(str(error))

        desk.world.before = during
        assert desk.up().exit_code == 0
        assert len(refused) == 1
        assert f"process {os.getpid()} is working on this stack" in refused[0]
        assert not desk.state_file.with_name("dev.json.lock").exists()

    def test_the_lock_of_a_dead_process_is_taken_over_and_said(self, tmp_path: Path) -> None:
        dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
        lock = tmp_path / "s.lock"
        lock.write_text(json.dumps({"pid": int(dead.stdout), "started": "1"}))
        said: list[str] = []
        with locked(lock, said.append):
            assert json.loads(lock.read_text())["pid"] == os.getpid()
        assert said == [f"took over the lock {lock} of process {int(dead.stdout)}, which is no more"]

    def test_the_lock_of_a_living_process_is_respected(self, tmp_path: Path) -> None:
        """Even where the operating system knows of no lock, as on some file systems."""
        living = Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[19]
        lock = tmp_path / "s.lock"
        lock.write_text(json.dumps({"pid": os.getppid(), "started": living}))
        with pytest.raises(StateError, match="is working on this stack"), locked(lock, print):
            pass


RUN = """
import os, signal, sys
from operator import attrgetter
from pathlib import Path
sys.path.insert(0, {root!r})
from meshctl.local import passphrase
passphrase.ITERATIONS = 10
from tests.support.toy import Desk
desk = Desk(Path({folder!r}))
def before(op, name):
    if name == "b":
        {act}
desk.world.before = before
report = desk.session().up(lambda planned: True)
sys.exit(report.exit_code)
"""


def run_apart(desk: Desk, act: str) -> int:
    """Run `up` in a process of its own, with `act` done in the middle of making b."""
    root = str(Path(__file__).parents[2])
    text = RUN.format(root=root, folder=str(desk.folder), act=act)
    return subprocess.run([sys.executable, "-c", text], check=False, capture_output=True).returncode


class TestKilled:
    """Whenever the process ends, the next run knows what was begun."""

    PROGRAM = 'a = Thing("a"); b = Thing("b", of=a.made); c = Thing("c", of=b.made)'

    def test_between_beginning_and_recording(self, desk: Desk) -> None:
        desk.program(self.PROGRAM)
        assert run_apart(desk, "os.kill(os.getpid(), signal.SIGKILL)") == -signal.SIGKILL
        assert desk.recorded()["b"]["pending"] == "create"
        assert ops(desk.up()) == {"a": "same", "b": "create", "c": "create"}
        assert any("took over the lock" in warning for warning in desk.watch.warnings)
        assert desk.recorded()["b"]["pending"] is None
        assert desk.preview().changes == 0

    def test_while_updating(self, desk: Desk) -> None:
        desk.up(self.PROGRAM)
        desk.program(self.PROGRAM.replace('"b", ', '"b", n=2, '))
        assert run_apart(desk, "os.kill(os.getpid(), signal.SIGKILL)") == -signal.SIGKILL
        assert desk.recorded()["b"]["pending"] == "update"
        assert ops(desk.up()) == {"a": "same", "b": "update", "c": "same"}
        assert desk.preview().changes == 0

    @pytest.mark.parametrize(("first", "doomed"), [("True", []), ("False", ["b"])])
    def test_while_making_the_successor(self, desk: Desk, first: str, doomed: list[str]) -> None:
        """The record is of what is being made: what has gone is not looked for, what is still there is doomed."""
        text = f'Thing("b", fixed={{}}, opts=Opts(delete_before_replace={first}))'
        desk.up(text.format(1))
        desk.program(text.format(2))
        assert run_apart(desk, 'if op == "create": os.kill(os.getpid(), signal.SIGKILL)') == -signal.SIGKILL
        b = desk.recorded()["b"]
        assert (b["pending"], b["id"], b["outputs"], b["inputs"]["fixed"]) == ("create", "", {}, 2)
        assert [raw["name"] for raw in desk.state()["resources"] if raw.get("doomed")] == doomed
        assert ops(desk.up()) == {"b": "create"}
        assert len(desk.world.files("b")) == 1
        assert desk.preview().changes == 0

    def test_what_was_begun_and_left_the_program_is_deleted(self, desk: Desk) -> None:
        desk.program(self.PROGRAM)
        run_apart(desk, "os.kill(os.getpid(), signal.SIGKILL)")
        assert desk.up('a = Thing("a")').exit_code == 0
        assert set(desk.recorded()) == {"tiny-dev", "a"}

    def test_ctrl_c_ends_in_order(self, desk: Desk) -> None:
        desk.program(self.PROGRAM)
        assert run_apart(desk, "os.kill(os.getpid(), signal.SIGINT)") == 130
        assert {name: raw["pending"] for name, raw in desk.recorded().items()} == {
            "tiny-dev": None,
            "a": None,
            "b": None,
        }
        assert desk.world.names() == {"a", "b"}
        assert ops(desk.up()) == {"a": "same", "b": "same", "c": "create"}
