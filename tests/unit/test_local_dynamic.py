"""Dynamic resources in the local engine: classes of a program that manage notes, which are files in a folder."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from meshctl.local import passphrase
from tests.support.toy import Desk, ops

SECRET = "sesame-of-the-note"
NOTES = '''
import json, logging, os
from pathlib import Path
from pulumi import dynamic
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult
from pulumi.runtime.rpc import UNKNOWN

class Keeper(dynamic.ResourceProvider):
    """A note is a file; its text may change, its place may not."""
    def log(self, what, props):
        with open(props["world"] + ".log", "a") as file:
            file.write(json.dumps([what, {k: v for k, v in props.items() if k != "__provider"}]) + "\\n")
        if props.get("fails") == what:
            raise RuntimeError(f"{what} fails with {props.get('text')} and {props.get('seal', '')}")
    def check(self, olds, news):
        self.log("check", {**news, "olds": olds.get("text")})
        failures = [CheckFailure("text", f"{news['text']} is bad")] if "bad" in str(news.get("text")) else []
        return CheckResult({"place": "home", **news}, failures)
    def read(self, id_, props):
        if props.get("warns"):
            logging.getLogger("keeper").warning("the note %s is looked at", props["text"])
        path = Path(id_)
        if not path.exists():
            return ReadResult()
        return ReadResult(id_, {**props, "text": path.read_text()})
    def diff(self, id_, olds, news):
        if news.get("vague"):
            return DiffResult()
        moved = olds["place"] != news["place"]
        changed = moved or olds["text"] != news["text"] or bool(news.get("eager"))
        return DiffResult(changed, ["place"] if moved else [], [], news.get("first"))
    def create(self, props):
        self.log("create", props)
        path = Path(props["world"]) / f"{props['place']}-{len(list(Path(props['world']).iterdir()))}"
        path.write_text(props["text"])
        if props.get("dies"):
            os.kill(os.getpid(), 9)
        return CreateResult(str(path), {**props, "seal": "seal-of-" + props["text"], "length": len(props["text"])})
    def update(self, id_, olds, news):
        self.log("update", {**news, "seal": olds.get("seal")})
        Path(id_).write_text(news["text"])
        return UpdateResult({**news, "seal": "seal-of-" + news["text"], "length": len(news["text"])})
    def delete(self, id_, props):
        self.log("delete", props)
        Path(id_).unlink(missing_ok=True)

class Note(dynamic.Resource, module="notes", name="Note"):
    def __init__(self, name, opts=None, **props):
        super().__init__(Keeper(), name, {"seal": None, "length": None, **props}, opts)
'''


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)


class Notes(Desk):
    """A project whose program has the class in a module beside it."""

    def program(self, text: str) -> None:
        (self.root / "notes.py").write_text(NOTES)
        super().program(f"from notes import Note\nWORLD = {str(self.world.folder)!r}\n{text}")

    def happened(self, op: str) -> list[Any]:
        log = self.world.folder.with_name("world.log")
        lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [props for what, props in lines if what == op]

    def texts(self) -> list[str]:
        return sorted(path.read_text() for path in self.world.folder.iterdir())

    def everything_said(self) -> str:
        """All that a person, a log or a file of the project could show."""
        shown = [*map(repr, self.asked), *self.watch.warnings, *self.watch.waits]
        shown += [error for _, error in self.watch.ended]
        return "\n".join([*map(str, shown), *(path.read_text() for path in self.root.rglob("*.json*"))])


@pytest.fixture
def desk(tmp_path: Path) -> Notes:
    sys.modules.pop("notes", None)
    return Notes(tmp_path)


def note(text: str, **props: Any) -> str:
    return f"Note('n', world=WORLD, text={text!r}, **{props!r})"


class TestLife:
    """From nothing to nothing, as under Pulumi."""

    def test_a_preview_checks_and_makes_nothing(self, desk: Notes) -> None:
        assert ops(desk.preview(note("one"))) == {"n": "create"}
        assert [props["text"] for props in desk.happened("check")] == ["one"]
        assert desk.texts() == []
        assert not desk.state_file.exists()

    def test_create_then_nothing_then_update_then_delete(self, desk: Notes) -> None:
        report = desk.up(f"n = {note('one')}\npulumi.export('length', n.length)")
        assert (ops(report), report.outputs) == ({"n": "create"}, {"length": 3})
        assert desk.preview().changes == 0
        report = desk.up(note("three"))
        assert ops(report) == {"n": "update"}
        assert [(f.path, f.old, f.new) for row in report.rows for f in row.fields] == [("text", "one", "three")]
        assert desk.texts() == ["three"]
        assert desk.recorded()["n"]["outputs"]["length"] == 5
        desk.up("pass")
        assert desk.texts() == []
        assert desk.happened("delete")[0]["seal"] == "seal-of-three"

    def test_what_check_adds_is_recorded_and_compared(self, desk: Notes) -> None:
        desk.up(note("one"))
        assert desk.recorded()["n"]["inputs"]["place"] == "home"
        assert desk.preview().changes == 0
        desk.preview(note("two"))
        assert desk.happened("check")[-1]["olds"] == "one"

    def test_destroy_needs_the_module_and_not_the_program(self, desk: Notes) -> None:
        desk.up(note("one"))
        (desk.root / "__main__.py").write_text("raise SystemExit('never run')")
        sys.modules.pop("notes", None)
        assert desk.destroy().exit_code == 0
        assert desk.texts() == []

    def test_a_class_of_the_program_itself(self, desk: Notes) -> None:
        desk.program("")
        main = (desk.root / "__main__.py").read_text().replace("from notes import Note", NOTES)
        (desk.root / "__main__.py").write_text(main + note("one"))
        assert ops(desk.up()) == {"n": "create"}
        assert desk.preview().changes == 0
        assert desk.destroy().exit_code == 0
        assert desk.texts() == []

    def test_two_with_the_same_id_are_two(self, desk: Notes) -> None:
        both = "class Same(Note):\n    pass\n"
        desk.up(both + note("one") + "\n" + note("one").replace("'n'", "'m'"))
        for raw in (state := desk.state())["resources"]:
            if raw["name"] == "m":
                raw["id"] = desk.recorded()["n"]["id"]
        desk.state_file.write_text(json.dumps(state))
        desk.up(note("one"))
        assert len(desk.happened("delete")) == 1

    def test_settings_of_the_stack_reach_configure(self, desk: Notes) -> None:
        desk.configure(stack="config:\n  tiny:word: hello\n")
        reader = (
            "from pulumi import dynamic\nfrom pulumi.dynamic import CreateResult\n"
            "class Reader(dynamic.ResourceProvider):\n"
            "    def configure(self, req):\n        self.word = req.config.require('word')\n"
            "    def create(self, props):\n        return CreateResult('r', {'word': self.word})\n"
        )
        (desk.root / "reader.py").write_text(reader)
        report = desk.up(
            "from pulumi import dynamic\nfrom reader import Reader\n"
            "class R(dynamic.Resource):\n    pass\n"
            "r = R(Reader(), 'r', {'word': None})\npulumi.export('word', r.word)"
        )
        assert (report.failures, report.outputs) == ((), {"word": "hello"})
        assert desk.recorded()["r"]["type"] == "pulumi-python:dynamic:Resource"


class TestDiff:
    """What a class says of the difference is what happens."""

    def test_replaces(self, desk: Notes) -> None:
        desk.up(note("one", place="here"))
        assert ops(desk.up(note("one", place="there"))) == {"n": "replace"}
        assert [Path(path).name[:5] for path in map(str, desk.world.folder.iterdir())] == ["there"]
        assert [what for what, _ in self._log(desk) if what != "check"] == ["create", "create", "delete"]

    def test_deletes_first_where_it_says_so(self, desk: Notes) -> None:
        desk.up(note("one", place="here", first=True))
        desk.up(note("one", place="there", first=True))
        assert [what for what, _ in self._log(desk) if what != "check"] == ["create", "delete", "create"]

    def test_what_it_does_not_know_is_left_to_the_inputs(self, desk: Notes) -> None:
        desk.up(note("one", vague=True))
        assert desk.preview().changes == 0
        assert ops(desk.preview(note("two", vague=True))) == {"n": "update"}

    def test_it_may_ask_for_an_update_of_its_own(self, desk: Notes) -> None:
        desk.up(note("one", eager=True))
        report = desk.preview()
        assert ops(report) == {"n": "update"}
        assert [f.note for row in report.rows for f in row.fields] == ["its provider asks for it"]

    def test_unknown_inputs_reach_it_marked(self, desk: Notes) -> None:
        two = "t = Thing('t')\nNote('n', world=WORLD, text=t.made)"
        assert ops(desk.preview(two)) == {"t": "create", "n": "create"}
        assert desk.happened("check")[0]["text"] not in (None, "")
        assert desk.up(two).exit_code == 0
        assert desk.texts()[0].startswith("made-t") or desk.texts()[1].startswith("made-t")

    def test_numbers_reach_it_as_pulumi_hands_them_over(self, desk: Notes) -> None:
        """With a fraction, all of them: what a class makes of 3.0 in a body is its own business, here as there."""
        desk.up("Note('n', world=WORLD, text=3)")
        for method in ("check", "create"):
            assert {type(entry["text"]) for entry in desk.happened(method)} == {float}, method

    @staticmethod
    def _log(desk: Notes) -> list[Any]:
        return [json.loads(line) for line in desk.world.folder.with_name("world.log").read_text().splitlines()]


class TestDrift:
    """`read` is called at every pass."""

    def test_what_is_gone_is_made_again(self, desk: Notes) -> None:
        desk.up(note("one"))
        next(desk.world.folder.iterdir()).unlink()
        assert ops(desk.preview()) == {"n": "create"}
        assert desk.watch.warnings == ["n was deleted outside of this program"]
        assert desk.up().exit_code == 0
        assert desk.texts() == ["one"]
        assert desk.preview().changes == 0

    def test_what_was_changed_is_put_right(self, desk: Notes) -> None:
        desk.up(note("one"))
        next(desk.world.folder.iterdir()).write_text("scribbled over")
        assert ops(desk.up()) == {"n": "update"}
        assert desk.texts() == ["one"]


class TestFailures:
    """Named, in words, and without what is secret."""

    def test_a_failed_check_names_resource_and_property(self, desk: Notes) -> None:
        report = desk.preview(note("bad news"))
        assert report.failures == ("n: text: bad news is bad",) or report.failures[0].endswith(
            "::n: text: bad news is bad"
        )
        assert desk.up().exit_code == 1
        assert desk.texts() == []

    @pytest.mark.parametrize("op", ["check", "create", "update", "delete"])
    def test_no_secret_is_shown_whatever_fails(self, desk: Notes, op: str) -> None:
        options = "opts=Opts(additional_secret_outputs=['seal'])"
        secret = "Note('n', world=WORLD, text=Output.secret({!r}), fails={!r}, " + options + ")"
        first = secret.format(SECRET, "" if op in ("update", "delete") else op)
        report = desk.up(first)
        if op in ("update", "delete"):
            report = desk.up(secret.format(f"{SECRET} too", op))
        if op == "delete":
            report = desk.destroy()
        assert report.exit_code == 1
        assert "fails with" in str(report.failures)
        assert SECRET not in desk.everything_said() + repr(report)

    def test_no_secret_is_in_what_it_warns_of(self, desk: Notes) -> None:
        secret = f"Note('n', world=WORLD, text=Output.secret({SECRET!r}), warns=True)"
        desk.up(secret)
        desk.preview()
        assert desk.watch.warnings == ["the note [secret] is looked at"]

    def test_code_that_is_no_more_is_said(self, desk: Notes) -> None:
        desk.up(note("one"))
        desk.program("pass")
        (desk.root / "notes.py").write_text("Keeper = None\ndel Keeper\n")
        (desk.root / "__main__.py").write_text("import pulumi\n")
        sys.modules.pop("notes", None)
        report = desk.up()
        assert report.exit_code == 1
        assert "its provider cannot be loaded: AttributeError" in report.failures[0]
        assert desk.texts() == ["one"]


class TestInterrupted:
    """Killed in the middle of `create`, the next run makes it again: a class has to bear that, as under Pulumi."""

    def test_the_next_run_goes_on(self, desk: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
        desk.program(note("one", dies=True))
        command = [sys.executable, "-m", "meshctl.cli", "up", "--yes", "--engine", "local", "--stack", "dev"]
        command += ["--cwd", str(desk.root)]
        desk.configure(stack="config: {}\n")
        killed = subprocess.run(command, capture_output=True, check=False, timeout=120)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert desk.recorded()["n"]["pending"] == "create"
        assert desk.up(note("one")).exit_code == 0
        assert desk.preview().changes == 0
        assert len(desk.happened("create")) == 2
