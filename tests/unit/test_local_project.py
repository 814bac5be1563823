"""Projects, stacks and their configuration, as the program gets to see them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshctl.local import passphrase
from meshctl.local.passphrase import Crypter, PassphraseError
from meshctl.local.project import ProjectError, load
from tests.support.toy import Desk


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.program("")
    return desk


SHOW = """
c = pulumi.Config()
pulumi.export("all", {k: c.get(k) for k in ("a", "b", "c", "d", "e")})
pulumi.export("other", pulumi.Config("other").get("x"))
"""


class TestConfiguration:
    """Project and stack merged, as strings, by full key."""

    def test_stack_wins_over_project_and_keys_get_their_namespace(self, desk: Desk) -> None:
        desk.configure(
            "name: tiny\nruntime: python\nconfig:\n  a: from-project\n  b: {type: string, default: a-default}\n"
            "  tiny:c: {value: 3}\n  d: {type: object}\n",
            "config:\n  b: from-stack\n  tiny:d: {deep: [1, two, true]}\n  e: true\n  other:x: 1.5\n",
        )
        outputs = desk.up(SHOW).outputs
        assert outputs["all"] == {
            "a": "from-project",
            "b": "from-stack",
            "c": "3",
            "d": '{"deep":[1,"two",true]}',
            "e": "true",
        }
        assert outputs["other"] == "1.5"

    def test_secrets_are_opened_and_stay_secret(self, desk: Desk) -> None:
        crypter = Crypter("open sesame", None, "x")
        plain, deep = crypter.seal("hush-hush"), crypter.seal("whisper")
        desk.configure(
            stack=f"encryptionsalt: {crypter.salt}\nconfig:\n  token: {{secure: {plain}}}\n"
            f"  nested: {{user: me, password: {{secure: {deep}}}}}\n"
        )
        report = desk.up("""
c = pulumi.Config()
assert c.require("token") == "hush-hush"
pulumi.export("token", c.require_secret("token"))
pulumi.export("length", c.require_secret("token").apply(len))
pulumi.export("nested", c.require_secret_object("nested"))
Thing("a", user=c.require_object("nested")["user"], key=c.require_secret("token"))
""")
        assert report.failures == ()
        assert report.outputs == {"token": "[secret]", "length": "[secret]", "nested": "[secret]"}
        assert desk.recorded()["a"]["inputs"]["user"] == "me"
        assert "hush" not in desk.state_file.read_text()
        assert desk.state()["salt"] == crypter.salt, "one salt, so one key to derive"

    def test_a_secret_of_the_settings_does_not_get_out_by_a_traceback(self, desk: Desk) -> None:
        crypter = Crypter("open sesame", None, "x")
        desk.configure(stack=f"encryptionsalt: {crypter.salt}\nconfig:\n  t: {{secure: {crypter.seal('hush-hush')}}}\n")
        (failure,) = desk.preview('raise ValueError("bad: " + pulumi.Config().require("t"))').failures
        assert failure.endswith("ValueError: bad: [secret]")

    @pytest.mark.parametrize(("phrase", "what"), [("wrong", "incorrect passphrase"), (None, "no passphrase is given")])
    def test_secrets_need_their_passphrase(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, phrase: str | None, what: str
    ) -> None:
        crypter = Crypter("open sesame", None, "x")
        desk.configure(stack=f"encryptionsalt: {crypter.salt}\nconfig:\n  t: {{secure: {crypter.seal('x')}}}\n")
        monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
        if phrase:
            monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", phrase)
        with pytest.raises(PassphraseError, match=rf"Pulumi.dev.yaml.*{what}"):
            desk.preview()


class TestProgram:
    """Where it is, and where it runs."""

    def test_it_runs_in_its_folder_and_sees_its_modules(self, desk: Desk) -> None:
        desk.configure("name: tiny\nruntime: python\nmain: infra\n")
        folder = desk.root / "infra"
        folder.mkdir()
        (folder / "helper.py").write_text("VALUE = 7\n")
        (folder / "__main__.py").write_text(
            "import os, pulumi, helper\n"
            "pulumi.export('where', [os.path.basename(os.getcwd()), helper.VALUE])\n"
            "pulumi.export('who', [pulumi.get_project(), pulumi.get_stack(), pulumi.get_organization()])\n"
        )
        outputs = desk.up().outputs
        assert outputs == {"where": ["infra", 7], "who": ["tiny", "dev", "organization"]}

    def test_main_may_be_a_file(self, desk: Desk) -> None:
        desk.configure("name: tiny\nruntime: python\nmain: other.py\n")
        (desk.root / "other.py").write_text("import pulumi\npulumi.export('x', 1)\n")
        assert desk.up().outputs == {"x": 1}

    def test_it_is_found_from_a_folder_below(self, desk: Desk) -> None:
        below = desk.root / "a" / "b"
        below.mkdir(parents=True)
        assert load(below, "dev").root == desk.root

    def test_stack_settings_may_lie_in_a_folder(self, desk: Desk) -> None:
        desk.configure("name: tiny\nruntime: python\nstackConfigDir: stacks\n")
        (desk.root / "stacks").mkdir()
        (desk.root / "stacks" / "Pulumi.dev.yaml").write_text("config:\n  a: 1\n")
        assert json.loads(desk.up(SHOW).outputs["all"]["a"]) == 1


class TestMistakes:
    """Where, what, and how to go on."""

    @pytest.mark.parametrize(
        ("project", "stack", "what"),
        [
            ("runtime: python\n", None, r"Pulumi.yaml: has no `name`"),
            ("name: [", None, r"Pulumi.yaml: cannot be read"),
            ("- a\n", None, r"Pulumi.yaml: is not a mapping"),
            ("name: tiny\nmain: nowhere\n", None, r"the program .*nowhere does not exist"),
            ("name: tiny\n", "config: [1]\n", r"`config` is not a mapping"),
            ("name: tiny\n", "secretsprovider: awskms://x\n", r"needs the Pulumi CLI"),
        ],
    )
    def test_is_named(self, desk: Desk, project: str, stack: str | None, what: str) -> None:
        desk.configure(project, stack)
        with pytest.raises(ProjectError, match=what):
            desk.preview()

    def test_no_project(self, tmp_path: Path) -> None:
        with pytest.raises(ProjectError, match=r"no Pulumi.yaml here or above"):
            load(tmp_path, "dev")

    def test_an_unknown_stack_names_the_known_ones(self, desk: Desk) -> None:
        desk.configure(stack="config: {}\n")
        with pytest.raises(ProjectError, match="there is no stack 'prod'; copy the file of another one: dev"):
            load(desk.root, "prod")

    def test_a_damaged_salt(self, desk: Desk) -> None:
        desk.configure(stack="encryptionsalt: nonsense\n")
        with pytest.raises(PassphraseError, match="is not of the form"):
            desk.preview()
