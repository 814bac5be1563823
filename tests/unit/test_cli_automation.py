"""Pulumi's own events in the form of our rows. The CLI itself is not needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation.events import EngineEvent

from meshctl.automation import Events, PulumiSession, environment
from meshctl.local.project import Project
from meshctl.progress import Lines
from meshctl.rows import Report, Row

P = "urn:pulumi:dev::mesh::"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}


def step(op: str, type_: str, name: str, provider: str = "", **more: Any) -> dict[str, Any]:
    urn = f"{P}{type_}::{name}"
    states: dict[str, Any] = {
        side: {"type": type_, "urn": urn, "id": "", "parent": f"{P}pulumi:pulumi:Stack::mesh-dev", **more.pop(side)}
        for side in ("old", "new")
        if side in more
    }
    return {"op": op, "urn": urn, "type": type_, "provider": provider, **states, **more}


def fed(*events: dict[str, Any], watcher: Any = None) -> Events:
    gathered = Events(watcher)
    for number, event in enumerate(events):
        gathered(EngineEvent.from_json({"sequence": number, "timestamp": 0, **event}))
    return gathered


def pre(**metadata: Any) -> dict[str, Any]:
    return {"resourcePreEvent": {"metadata": metadata, "planning": True}}


PROVIDER = pre(**step("same", "pulumi:providers:kubernetes", "p", new={"inputs": {"clusterIdentifier": "lab/east"}}))
REFERENCE = f"{P}pulumi:providers:kubernetes::p::0123"


class TestRows:
    """One a resource, whatever Pulumi does it in."""

    def test_cluster_and_fields(self) -> None:
        spec = {"replicas": 2, "ports": [{"port": 80}], "same": 1}
        new = {"replicas": 3, "ports": [{"port": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}], "same": 1}
        events = fed(
            PROVIDER,
            pre(
                **step(
                    "update",
                    "kubernetes:apps/v1:Deployment",
                    "d",
                    REFERENCE,
                    old={"inputs": {"spec": spec, "key": SECRET}, "outputs": {"spec": spec}},
                    new={"inputs": {"spec": new, "key": SECRET}},
                    detailedDiff={
                        "spec.replicas": {"diffKind": "update", "inputDiff": True},
                        "spec.ports[0].port": {"diffKind": "update"},
                        "key": {"diffKind": "update", "inputDiff": True},
                        'data["a.b"]': {"diffKind": "add"},
                    },
                )
            ),
        )
        provider, row = events.rows.values()
        assert (provider.cluster, provider.op) == ("east", "same")
        assert (row.name, row.type, row.cluster, row.op) == ("d", "kubernetes:apps/v1:Deployment", "east", "update")
        assert row.parent.endswith("mesh-dev")
        assert [(f.path, f.old, f.new) for f in row.fields] == [
            ("spec.replicas", 2, 3),
            ("spec.ports[0].port", 80, "<known after apply>"),
            ("key", "[secret]", "[secret]"),
            ('data["a.b"]', None, None),
        ]

    def test_without_paths_the_keys_are_shown(self) -> None:
        changed = step("update", "a:b:C", "x", old={"inputs": {"n": 1}}, new={"inputs": {"n": 2}}, diffs=["n"])
        (row,) = fed(pre(**changed)).rows.values()
        assert [(f.path, f.old, f.new) for f in row.fields] == [("n", 1, 2)]

    def test_a_replacement_is_one_row(self) -> None:
        ops = ("create-replacement", "replace", "delete-replaced")
        events = fed(*(pre(**step(op, "a:b:C", "x", old={"inputs": {}}, new={"inputs": {}})) for op in ops))
        assert [row.op for row in events.rows.values()] == ["replace"]

    @pytest.mark.parametrize(
        ("op", "ours"), [("import", "create"), ("read", "same"), ("refresh", "same"), ("delete", "delete")]
    )
    def test_other_words(self, op: str, ours: str) -> None:
        (row,) = fed(pre(**step(op, "a:b:C", "x", old={"inputs": {}}))).rows.values()
        assert row.op == ours


class TestFailures:
    """What went wrong, once, without colours."""

    def test_errors_are_gathered(self) -> None:
        told = {"message": "<{%fg 1%}>it failed\n<{%reset%}>", "color": "never", "severity": "error"}
        events = fed(
            pre(**step("create", "a:b:C", "x", new={"inputs": {}})),
            {"diagnosticEvent": {**told, "urn": f"{P}a:b:C::x"}},
            {"diagnosticEvent": {**told, "urn": f"{P}a:b:C::x"}},
            {"diagnosticEvent": {**told, "message": "update failed"}},
            {"resOpFailedEvent": {"metadata": step("create", "a:b:C", "x"), "status": 0, "steps": 1}},
        )
        assert events.failures == ["x: it failed", "update failed"]
        assert events.rows == {}


class TestSession:
    """What Pulumi only planned is not reported as done."""

    @pytest.mark.parametrize(("failures", "agree"), [(("x: it failed",), True), ((), False)])
    def test_nothing_is_made_of_a_plan_that_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: tuple[str, ...], agree: bool
    ) -> None:
        planned = Report((Row("urn", "a:b:C", "x", "", "", "create"),), {}, failures)
        session = PulumiSession(Project(tmp_path, "mesh", "dev", {}, {}, tmp_path / "Pulumi.dev.yaml"), Lines())
        monkeypatch.setattr(session, "_run", lambda *_: planned)
        for report in (session.up(lambda _: agree), session.destroy(lambda _: agree)):
            assert report.rows == ()
            assert report.failures == (failures or ("nothing was changed, as you did not agree",))


class TestEnvironment:
    """Where Pulumi keeps its state, and which Python it runs."""

    def project(self, root: Path, **settings: Any) -> Project:
        return Project(root, "mesh", "dev", settings, {}, root / "Pulumi.dev.yaml")

    def test_a_folder_in_the_project_unless_another_is_set(self, tmp_path: Path) -> None:
        def backend(environ: dict[str, str], **settings: Any) -> str | None:
            return environment(self.project(tmp_path, **settings), environ, tmp_path).get("PULUMI_BACKEND_URL")

        assert backend({}) == f"file://{tmp_path}/.pulumi-local/pulumi"
        assert backend({"PULUMI_BACKEND_URL": "s3://x"}) is None
        assert backend({}, backend={"url": "gs://x"}) is None
        (tmp_path / ".pulumi").mkdir()
        (tmp_path / ".pulumi" / "credentials.json").write_text(json.dumps({"current": "https://api.example"}))
        assert backend({}) is None

    def test_our_own_python_comes_first(self, tmp_path: Path) -> None:
        path = environment(self.project(tmp_path), {"PATH": "/bin"}, tmp_path)["PATH"]
        assert path.endswith(":/bin")
        assert (Path(path.partition(":")[0]) / "python3").exists() or (Path(path.partition(":")[0]) / "python").exists()
