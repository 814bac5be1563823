"""Whole programs through the local engine: what is made, in which order, and what is left when something fails."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshctl.local import passphrase
from meshctl.local.model import Goal, Record, Step
from meshctl.local.state import Store
from meshctl.rows import Report, summary
from tests.support.meshes import kubeconfig
from tests.support.toy import Desk, Toy, ops


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


TWO = """
a = Thing("a", size=1)
b = Thing("b", of=a.made)
pulumi.export("b", b.of)
"""


class TestStepByStep:
    """The life of a stack, from nothing to nothing."""

    def test_a_preview_touches_nothing(self, desk: Desk) -> None:
        report = desk.preview(TWO)
        assert ops(report) == {"a": "create", "b": "create"}
        assert desk.world.log == []
        assert not desk.state_file.exists()
        assert list(desk.root.iterdir()) == [desk.root / "Pulumi.yaml", desk.root / "__main__.py"] or not any(
            path.name == ".pulumi-local" for path in desk.root.iterdir()
        )

    def test_up_makes_what_others_need_first_and_then_nothing_changes(self, desk: Desk) -> None:
        report = desk.up(TWO)
        assert report.exit_code == 0
        assert desk.world.happened("create") == ["a", "b"]
        assert report.outputs == {"b": desk.recorded()["a"]["outputs"]["made"]}
        assert desk.preview().changes == 0
        again = desk.up()
        assert (again.changes, again.outputs) == (0, report.outputs)
        assert desk.world.happened("create") == ["a", "b"]

    def test_urns_are_those_of_pulumi(self, desk: Desk) -> None:
        desk.up('g = Group("g"); h = Group("h", opts=Opts(parent=g)); Thing("t", opts=Opts(parent=h))')
        assert desk.recorded()["t"]["urn"] == (
            "urn:pulumi:dev::tiny::mesh:index:Group$mesh:index:Group$toy:index:Thing::t"
        )
        assert desk.recorded()["tiny-dev"]["urn"] == "urn:pulumi:dev::tiny::pulumi:pulumi:Stack::tiny-dev"

    def test_a_change_updates_and_shows_the_field(self, desk: Desk) -> None:
        desk.up(TWO)
        report = desk.up(TWO.replace("size=1", "size=2"))
        assert ops(report) == {"a": "update", "b": "same"}
        (row,) = [row for row in report.rows if row.name == "a"]
        assert [(f.path, f.old, f.new) for f in row.fields] == [("size", 1, 2)]

    def test_drift_is_seen_and_mended(self, desk: Desk) -> None:
        desk.up(TWO)
        desk.world.files("a")[0].unlink()
        assert ops(desk.preview())["a"] == "create"
        desk.up()
        assert desk.world.names() == {"a", "b"}

    def test_what_left_the_program_goes_after_what_leans_on_it(self, desk: Desk) -> None:
        desk.up('a = Thing("a"); b = Thing("b", of=a.made); c = Thing("c", opts=Opts(depends_on=[b]))')
        planned = desk.preview('Thing("z")')
        assert ops(planned) == {"z": "create", "a": "delete", "b": "delete", "c": "delete"}
        desk.up()
        assert desk.world.happened("delete") == ["c", "b", "a"]
        assert set(desk.recorded()) == {"tiny-dev", "z"}

    def test_destroy_takes_all_away_without_the_program(self, desk: Desk) -> None:
        desk.up(TWO)
        (desk.root / "__main__.py").write_text("raise SystemExit('never run')")
        report = desk.destroy()
        assert report.exit_code == 0
        assert desk.world.happened("delete") == ["b", "a"]
        assert desk.world.names() == set()
        assert not desk.state_file.exists()
        assert desk.destroy().rows == ()

    def test_nothing_happens_without_agreement(self, desk: Desk) -> None:
        assert desk.up(TWO, agree=False).exit_code == 1
        assert desk.world.log == []
        desk.up(TWO)
        assert desk.destroy(agree=False).exit_code == 1
        assert desk.world.names() == {"a", "b"}

    def test_the_program_is_run_anew_for_each_pass(self, desk: Desk) -> None:
        (desk.root / "counting.py").write_text("seen = []\n")
        text = "import counting\ncounting.seen.append(1)\nThing('a', n=len(counting.seen))\n"
        desk.up(text)
        assert desk.recorded()["a"]["inputs"]["n"] == 1
        assert desk.preview().changes == 0


class TestReplacing:
    """The new one first, so that nothing is missing meanwhile; unless the program says otherwise."""

    def test_the_old_one_goes_at_the_end(self, desk: Desk) -> None:
        desk.up('a = Thing("a", fixed=1); Thing("b", of=a.made)')
        report = desk.up('a = Thing("a", fixed=2); Thing("b", of=a.made)')
        assert ops(report) == {"a": "replace", "b": "update"}
        assert desk.world.log[2:] == [("create", "a"), ("update", "b"), ("delete", "a")]
        assert len(desk.world.files("a")) == 1

    def test_delete_before_replace(self, desk: Desk) -> None:
        desk.up('Thing("a", fixed=1)')
        desk.up('Thing("a", fixed=2, opts=Opts(delete_before_replace=True))')
        assert desk.world.log == [("create", "a"), ("delete", "a"), ("create", "a")]

    def test_an_old_one_that_cannot_be_deleted_is_remembered(self, desk: Desk) -> None:
        desk.up('Thing("a", fixed=1)')
        desk.world.fails["a"] = "delete"
        assert desk.up('Thing("a", fixed=2)').exit_code == 1
        assert len(desk.world.files("a")) == 2
        desk.world.fails.clear()
        assert desk.up().exit_code == 0
        assert len(desk.world.files("a")) == 1

    def test_a_trigger_replaces_when_its_value_changes(self, desk: Desk) -> None:
        desk.up('Thing("a", opts=Opts(replacement_trigger="1"))')
        assert desk.preview().changes == 0
        assert ops(desk.up('Thing("a", opts=Opts(replacement_trigger="2"))')) == {"a": "replace"}
        assert len(desk.world.files("a")) == 1
        assert desk.preview().changes == 0

    def test_a_secret_trigger_is_not_kept_in_clear(self, desk: Desk) -> None:
        desk.up('Thing("a", opts=Opts(replacement_trigger=Output.secret("hush-hush")))')
        assert "hush-hush" not in desk.state_file.read_text()
        assert ops(desk.preview('Thing("a", opts=Opts(replacement_trigger=Output.secret("other")))')) == {
            "a": "replace"
        }

    def test_another_cluster_replaces_all_that_was_on_the_old_one(self, desk: Desk) -> None:
        text = 'p = Provider("p", clusterIdentifier="lab/{}"); a = Thing("a", opts=Opts(provider=p))'
        desk.up(text.format("one"))
        report = desk.up(text.format("two"))
        assert ops(report) == {"p": "replace", "a": "replace"}
        assert desk.world.log == [("create", "a"), ("create", "a"), ("delete", "a")]
        (file,) = desk.world.files("a")
        assert json.loads(file.read_text())["by"] == {"clusterIdentifier": "lab/two"}
        assert desk.preview().changes == 0
        assert [raw for raw in desk.state()["resources"] if raw.get("doomed")] == []

    def test_what_an_old_provider_made_never_names_one_that_is_not_recorded(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = 'p = Provider("p", clusterIdentifier="lab/{}"); a = Thing("a", opts=Opts(provider=p))'
        desk.up(text.format("one"))
        put, dangling = Store.put, set[str]()

        def watched(store: Store, *args: Any, **more: Any) -> None:
            put(store, *args, **more)
            dangling.update({r.provider for r in store.records.values() if "\0" in r.provider} - store.doomed.keys())

        monkeypatch.setattr(Store, "put", watched)
        assert desk.up(text.format("two")).exit_code == 0
        assert dangling == set()

    def test_other_steps_record_theirs_while_a_provider_is_replaced(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = 'p = Provider("p", clusterIdentifier="lab/{}"); a = Thing("a", opts=Opts(provider=p))'
        desk.up(text.format("one"))
        load = Store.load

        class Meanwhile(str):
            """A URN; while it is compared, another step records what it makes."""

            store: Store
            __slots__ = ("store",)
            __hash__ = str.__hash__

            def __eq__(self, other: object) -> bool:
                (some, *_) = list(self.store.records.values())
                self.store.records.setdefault("another", replace(some, urn="another", provider=""))
                return str.__eq__(self, other)

        def loaded(store: Store) -> None:
            load(store)
            (a,) = [r for r in store.records.values() if r.name == "a"]
            provider = Meanwhile(a.provider)
            provider.store = store
            # Not the last one: a dictionary notices that it has grown when it is asked for the next item.
            store.records = {
                a.urn: replace(a, provider=provider),
                **store.records,
                a.urn: replace(a, provider=provider),
            }

        monkeypatch.setattr(Store, "load", loaded)
        desk.program(text.format("two"))
        assert desk.session().up(lambda _planned: True, skip_preview=True).failures == ()


class TestAgreed:
    """What was not shown is not done, where it takes something away."""

    def test_a_replacement_that_was_not_shown_is_refused(self, desk: Desk) -> None:
        desk.up('Thing("a", fixed=1)')
        report = self._changing(desk, 'Thing("a", fixed=2)')
        assert report.failures == ("a: changed since it was shown; run again",)
        assert desk.world.happened("delete") == []
        assert desk.up().exit_code == 0
        assert desk.world.happened("delete") == ["a"]

    def test_a_delete_that_was_not_shown_is_refused(self, desk: Desk) -> None:
        desk.up('Thing("a"); Thing("b"); Thing("c")')
        desk.program('Thing("a"); Thing("b")')
        report = self._changing(desk, 'Thing("a")')
        assert report.failures == ("b: changed since it was shown; run again",)
        assert desk.world.names() == {"a", "b", "c"}
        assert desk.up().exit_code == 0
        assert desk.world.names() == {"a"}

    def test_a_takeover_that_was_not_shown_is_refused(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.up('Thing("a", size=1, color="red")')
        fields = self._others(monkeypatch, {"size"})
        desk.program('Thing("a", size=2, color="blue")')
        assert desk.session().up(lambda _planned: True).exit_code == 0, "this one was shown"
        desk.program('Thing("a", size=3, color="green")')

        def confirm(_planned: Report) -> bool:
            fields.add("color")
            return True

        report = desk.session().up(confirm)
        assert report.failures == ("a: changed since it was shown; run again",)
        assert desk.world.happened("update") == ["a"]
        assert desk.watch.warnings == []

    def test_without_a_preview_a_takeover_is_said(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.up('Thing("a", size=1, color="red")')
        self._others(monkeypatch, {"size"})
        desk.program('Thing("a", size=2, color="blue")')
        assert desk.session().up(lambda _planned: True, skip_preview=True).exit_code == 0
        assert desk.watch.warnings == ["a: size: taken over from kubectl-edit"]

    def _changing(self, desk: Desk, text: str) -> Report:
        """Agree to what is shown, while the program becomes another one."""

        def confirm(_planned: Report) -> bool:
            desk.program(text)
            return True

        return desk.session().up(confirm)

    def _others(self, monkeypatch: pytest.MonkeyPatch, fields: set[str]) -> set[str]:
        """Let somebody else have written these fields."""
        plan = Toy.plan

        def noted(toy: Toy, goal: Goal, record: Record | None) -> Step:
            step = plan(toy, goal, record)
            note = "taken over from kubectl-edit"
            return replace(step, changes=tuple(replace(c, note=note) if c.path in fields else c for c in step.changes))

        monkeypatch.setattr(Toy, "plan", noted)
        return fields


class TestFailing:
    """A step that fails harms nothing that does not depend on it."""

    FOUR = 'a = Thing("a"); b = Thing("b", of=a.made); c = Thing("c", of=b.made); d = Thing("d")'

    def test_siblings_go_on_and_dependents_wait(self, desk: Desk) -> None:
        desk.world.fails["b"] = "create"
        report = desk.up(self.FOUR)
        assert report.exit_code == 1
        assert report.failures == ("b: the world refuses to create it",)
        assert summary(report.rows, done=True) == "3 created", "the stack, a and d"
        assert desk.world.names() == {"a", "d"}
        desk.world.fails.clear()
        again = desk.up()
        assert ops(again) == {"a": "same", "b": "create", "c": "create", "d": "same"}
        assert desk.preview().changes == 0

    def test_nothing_is_deleted_after_a_failure(self, desk: Desk) -> None:
        desk.up(self.FOUR)
        desk.world.fails["z"] = "create"
        desk.up('Thing("z")')
        assert desk.world.names() == {"a", "b", "c", "d"}

    def test_a_failed_delete_keeps_what_it_leans_on(self, desk: Desk) -> None:
        desk.up(self.FOUR)
        desk.world.fails["b"] = "delete"
        report = desk.destroy()
        assert report.failures == ("b: the world refuses to delete it",)
        assert desk.world.names() == {"a", "b"}
        desk.world.fails.clear()
        assert desk.destroy().exit_code == 0
        assert desk.world.names() == set()

    def test_what_was_made_and_is_not_ready_is_taken_up_again(self, desk: Desk) -> None:
        desk.world.unready.add("a")
        assert desk.up('Thing("a")').failures == ("a: it does not become ready",)
        desk.world.unready.clear()
        assert ops(desk.up()) == {"a": "update"}
        assert len(desk.world.files("a")) == 1
        assert desk.preview().changes == 0

    def test_a_defect_of_a_provider_is_a_failure_like_others(self, desk: Desk) -> None:
        def defect(_op: str, name: str) -> None:
            assert name != "b", "nobody thought of b"

        desk.world.before = defect
        (failure,) = desk.up(self.FOUR).failures
        assert failure.startswith("b: unexpected AssertionError at test_local_engine.py:")
        assert desk.world.names() == {"a", "d"}
        desk.world.before = lambda op, name: defect(op, "b" if (op, name) == ("delete", "d") else name)
        (failure,) = desk.destroy().failures
        assert failure.startswith("b, d: unexpected AssertionError")
        assert desk.world.names() == {"a", "d"}

    def test_an_interruption_finishes_what_runs_and_begins_nothing_else(self, desk: Desk) -> None:
        def stop(_op: str, name: str) -> None:
            if name == "a":
                session.stop.set()

        desk.world.before = stop
        desk.program(self.FOUR.replace('d = Thing("d")', 'pulumi.export("c", c.made)'))
        session = desk.session()
        report = session.up(lambda _planned: True)
        assert (report.interrupted, report.exit_code, report.outputs) == (True, 130, {})
        assert set(desk.recorded()) == {"tiny-dev", "a"}
        desk.world.before = lambda _op, _name: None
        assert ops(desk.up()) == {"a": "same", "b": "create", "c": "create"}

    def test_an_end_that_cannot_be_written_is_a_failure_and_nothing_is_deleted(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.up(self.FOUR)
        write = Store._write

        def full(shared: Store, texts: Iterable[bytes]) -> None:
            if ("update", "a") in desk.world.log:
                raise OSError(28, "No space left on device")
            write(shared, texts)

        with monkeypatch.context() as patched:
            patched.setattr(Store, "_write", full)
            report = desk.up('Thing("a", size=2)')
        assert (report.exit_code, desk.world.happened("delete")) == (1, [])
        assert any("cannot be written" in failure for failure in report.failures)
        assert ops(desk.up()) == {"a": "update", "b": "delete", "c": "delete", "d": "delete"}

    def test_an_unreachable_world_is_planned_from_the_state_with_one_warning(self, desk: Desk) -> None:
        desk.up(self.FOUR)
        desk.world.reachable = False
        report = desk.preview(self.FOUR.replace('Thing("d")', 'Thing("d", size=2)'))
        assert ops(report) == {"a": "same", "b": "same", "c": "same", "d": "update"}
        assert desk.watch.warnings == ["the world cannot be reached; compared with the state instead"]
        assert desk.up().exit_code == 1
        assert desk.world.happened("update") == []


class TestMistakes:
    """What cannot be done is said in the preview, all of it, before anything is done."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ('Thing("a"); Thing("a", size=2)', "a: two resources have this URN"),
            ('Thing("a", opts=Opts(import_="x"))', "a: the local engine does not honour the option import_"),
            ('a = Thing("a", opts=Opts(replace_on_changes=["x"]))', "does not honour the option replace_on_changes"),
            ('Thing("a", opts=Opts(transforms=[lambda args: None]))', "does not honour the option transforms"),
            (
                'pulumi.runtime.register_resource_transform(lambda args: None); Thing("a")',
                "register_resource_transform: the local engine does not honour a transform of the whole stack",
            ),
            (
                'pulumi.runtime.register_invoke_transform(lambda args: None); Thing("a")',
                "register_invoke_transform: the local engine does not honour a transform of the whole stack",
            ),
            (
                'pulumi.StackReference("org/mesh/prod")',
                "org/mesh/prod: the stack org/mesh/prod has no state of the local engine here",
            ),
            ('pulumi.CustomResource("gcp:container/cluster:Cluster", "c", {})', "needs the Pulumi CLI"),
            ('pulumi.CustomResource("kubernetes:core/v1:ConfigMap", "m", {})', "m' has no provider of its own"),
            ('Thing("a", file=pulumi.StringAsset("x"))', "a: holds an asset"),
            ('Thing.get = None; pulumi.runtime.invoke("toy:index:nothing", {})', "nothing is not known in this world"),
            ('raise pulumi.RunError("settings: are wrong")', "settings: are wrong"),
            ("import sys; sys.exit(3)", "exit code 3"),
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ('Output.from_input(1).apply(lambda x: {}["gone"])', "KeyError"),
        ],
    )
    def test_is_an_error(self, desk: Desk, text: str, expected: str) -> None:
        report = desk.up(text)
        assert report.exit_code == 1
        assert expected in "\n".join(report.failures)
        assert report.rows == (), "of what was planned nothing was done"
        assert desk.world.log == []
        assert not desk.state_file.exists()

    def test_one_error_for_each_unknown_type(self, desk: Desk) -> None:
        text = "\n".join(f'pulumi.CustomResource("aws:compute/x:{t}", "{t}{i}", {{}})' for t in "XY" for i in (1, 2))
        assert sorted(failure.partition(":")[0] for failure in desk.preview(text).failures) == ["X1, X2", "Y1, Y2"]

    def test_a_run_error_is_told_without_a_traceback(self, desk: Desk) -> None:
        assert desk.preview('raise pulumi.RunError("mesh.clusters: none")').failures == ("mesh.clusters: none",)

    def test_a_traceback_begins_in_the_program(self, desk: Desk) -> None:
        (failure,) = desk.preview("1 / 0").failures
        assert "__main__.py" in failure
        assert "runpy" not in failure


class TestOptions:
    """Every option that is honoured, by what it changes."""

    def test_protect_refuses_deletes_and_replacements(self, desk: Desk) -> None:
        desk.up('Thing("a", fixed=1, opts=Opts(protect=True))')
        for report in (desk.up(""), desk.destroy(), desk.up('Thing("a", fixed=2, opts=Opts(protect=True))')):
            assert "it is protected" in report.failures[0]
        assert desk.world.happened("delete") == []
        desk.up('Thing("a", fixed=1)')
        assert desk.up("").exit_code == 0
        assert desk.world.names() == set()

    def test_protect_holds_without_a_preview_too(self, desk: Desk) -> None:
        desk.up('Thing("a", opts=Opts(protect=True)); Thing("b")')
        desk.program("")
        report = desk.session().up(lambda _planned: True, skip_preview=True)
        assert [failure.partition(", ")[0] for failure in report.failures] == [
            "a: it is protected and would be deleted; take `protect` off it in the program first"
        ]
        assert desk.world.happened("delete") == []
        assert set(desk.recorded()) >= {"a", "b"}

    def test_retain_on_delete_forgets_and_keeps(self, desk: Desk) -> None:
        desk.up('Thing("a", opts=Opts(retain_on_delete=True))')
        assert desk.destroy().exit_code == 0
        assert desk.world.names() == {"a"}

    def test_deleted_with_leaves_the_delete_to_the_other(self, desk: Desk) -> None:
        desk.up('a = Thing("a"); Thing("b", opts=Opts(deleted_with=a)); Thing("c", opts=Opts(parent=a))')
        desk.destroy()
        assert desk.world.happened("delete") == ["c", "a"]

    def test_deleted_with_something_that_stays_deletes(self, desk: Desk) -> None:
        desk.up('a = Thing("a"); Thing("b", opts=Opts(deleted_with=a))')
        desk.up('a = Thing("a")')
        assert desk.world.happened("delete") == ["b"]

    def test_ignored_changes_keep_the_old_value(self, desk: Desk) -> None:
        desk.up('Thing("a", spec={"n": 1, "m": 1})')
        report = desk.up('Thing("a", spec={"n": 2, "m": 2}, opts=Opts(ignore_changes=["spec.n"]))')
        assert [f.path for row in report.rows for f in row.fields] == ["spec.m"]
        assert desk.recorded()["a"]["inputs"]["spec"] == {"n": 1, "m": 2}

    def test_an_alias_finds_the_old_record(self, desk: Desk) -> None:
        desk.up('Thing("old")')
        report = desk.up('Thing("new", opts=Opts(aliases=[pulumi.Alias(name="old")]))')
        assert ops(report) == {"new": "same"}
        assert set(desk.recorded()) == {"tiny-dev", "new"}
        assert desk.world.happened("delete") == []

    def test_an_alias_of_a_parent_finds_the_children(self, desk: Desk) -> None:
        desk.up('g = Group("g"); Thing("g-t", opts=Opts(parent=g))')
        report = desk.up(
            'g = Group("h", opts=Opts(aliases=[pulumi.Alias(name="g")])); Thing("h-t", opts=Opts(parent=g))'
        )
        assert ops(report) == {"h": "same", "h-t": "same"}

    def test_an_alias_of_a_parent_by_type_finds_the_children(self, desk: Desk) -> None:
        """However deep the parent itself is, as a remote that becomes a primary is in a federation."""
        before = 'f = Group("f"); g = Group("g", Opts(parent=f)); Thing("g-t", opts=Opts(parent=g))'
        desk.up(before)
        other = (
            "class Other(pulumi.ComponentResource):\n"
            "    def __init__(self, name, opts):\n"
            '        same = Opts(aliases=[pulumi.Alias(type_="mesh:index:Group")])\n'
            '        super().__init__("mesh:index:Other", name, {}, Opts.merge(opts, same))\n'
        )
        report = desk.up(other + before.replace("g = Group", "g = Other"))
        assert ops(report) == {"f": "same", "g": "same", "g-t": "same"}
        assert "mesh:index:Group$mesh:index:Other$toy:index:Thing" in desk.recorded()["g-t"]["urn"]
        assert desk.world.happened("delete") == []

    def test_custom_timeouts_reach_the_provider(self, desk: Desk) -> None:
        desk.up('Thing("a", opts=Opts(custom_timeouts=pulumi.CustomTimeouts(create="1m30s", delete="5m")))')
        assert desk.recorded()["a"]["options"]["timeouts"] == {"create": 90, "delete": 300}

    def test_hooks_are_accepted(self, desk: Desk) -> None:
        hook = "pulumi.ResourceHook('h', lambda args: None)"
        report = desk.up(f'h = {hook}; Thing("a", opts=Opts(hooks=pulumi.ResourceHookBinding(before_create=[h])))')
        assert report.failures == ()


class TestValues:
    """What is not known yet, and what must not be seen."""

    def test_outputs_stay_unknown_and_secret_in_a_preview(self, desk: Desk) -> None:
        desk.up('b = Thing("b", of="1", nested={"deep": [1]}, plain=1)')
        report = desk.preview("""
a = Thing("a", opts=Opts(additional_secret_outputs=["made"]))
b = Thing("b", of=a.made, nested={"deep": [a.made]}, plain=1)
async def main():
    assert (await a.made.is_known(), await a.made.is_secret()) == (False, True)
pulumi.run(main)
""")
        assert report.failures == ()
        (row,) = [row for row in report.rows if row.name == "b"]
        assert {f.path: f.new for f in row.fields} == {"of": "[secret]", "nested.deep[0]": "[secret]"}

    def test_an_unknown_value_is_shown_as_such(self, desk: Desk) -> None:
        desk.up('b = Thing("b", of="1")')
        report = desk.preview('a = Thing("a"); b = Thing("b", of=a.made)')
        (row,) = [row for row in report.rows if row.name == "b"]
        assert [(f.path, f.old, f.new) for f in row.fields] == [("of", "1", "<known after apply>")]

    def test_no_secret_is_shown_or_stored(self, desk: Desk) -> None:
        text = """
s = Output.secret("hush-{n}")
a = Thing("a", key=s, env=Output.all(s).apply(lambda v: {{"k": v[0]}}))
Group("g", token=s)
pulumi.export("key", a.key)
pulumi.export("open", "shown")
"""
        first = desk.up(text.format(n=1))
        report = desk.up(text.format(n=2))
        assert first.outputs == {"key": "[secret]", "open": "shown"}
        assert "hush" not in repr(report)
        assert {f.new for row in report.rows for f in row.fields} == {"[secret]"}
        assert "hush" not in desk.state_file.read_text()
        assert ops(desk.preview()) == {"a": "same", "g": "same"}

    def test_a_secret_does_not_get_out_by_an_error(self, desk: Desk) -> None:
        desk.configure(stack="config:\n  secretly: 1\n")
        desk.world.fails["a"] = "create"
        desk.program('Thing("a", key=Output.secret("the world refuses"))')
        assert desk.up().failures == ("a: [secret] to create it",)

    def test_whole_numbers_stay_whole(self, desk: Desk) -> None:
        desk.up('Thing("a", port=80, ratio=0.5, many=[1, 2], on=True, big=2**40)')
        inputs = desk.recorded()["a"]["inputs"]
        assert inputs == {"port": 80, "ratio": 0.5, "many": [1, 2], "on": True, "big": 2**40}
        assert isinstance(inputs["port"], int)

    def test_a_function_is_answered(self, desk: Desk) -> None:
        report = desk.up('pulumi.export("x", pulumi.runtime.invoke("toy:index:echo", {"n": 1}).value["n"])')
        assert report.outputs == {"x": 1}

    def test_unknown_outputs_reach_the_stack_once_known(self, desk: Desk) -> None:
        report = desk.up(
            'g = Group("g"); a = Thing("a"); g.register_outputs({"m": a.made}); pulumi.export("m", a.made)'
        )
        assert desk.recorded()["g"]["outputs"] == {"m": report.outputs["m"]}


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[int, set[int]], set[int]]:
    """Each thing leans on some of those before it, by a value or by depends_on; later some have left."""
    size = draw(st.integers(1, 9))
    edges = {i: draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set() for i in range(size)}
    return edges, draw(st.sets(st.integers(0, size - 1)))


def _source(edges: dict[int, set[int]], keep: set[int], seed: int) -> str:
    lines = ["t = {}"]
    choose = random.Random(seed)
    for i in sorted(keep):
        on = [f"t[{j}]" for j in sorted(edges[i] & keep)]
        by_value = choose.random() < 0.5
        value = f"Output.all(*[x.made for x in [{', '.join(on)}]])" if by_value else "0"
        lines.append(f't[{i}] = Thing("n{i}", of={value}, opts=Opts(depends_on=[{"" if by_value else ", ".join(on)}]))')
    return "\n".join(lines)


class TestAnyGraph:
    """Whatever leans on whatever."""

    @settings(max_examples=12)
    @given(graphs(), st.integers(0, 5))
    def test_order_holds_both_ways(self, tmp_path_factory: pytest.TempPathFactory, graph: Any, seed: Any) -> None:
        edges, gone = graph
        desk = Desk(Path(tmp_path_factory.mktemp("graph")))
        everything = set(edges)
        assert desk.up(_source(edges, everything, seed)).exit_code == 0
        made = desk.world.happened("create")
        assert set(made) == {f"n{i}" for i in everything}
        for i, on in edges.items():
            assert all(made.index(f"n{j}") < made.index(f"n{i}") for j in on)
        assert desk.up(_source(edges, everything - gone, seed)).exit_code == 0
        deleted = desk.world.happened("delete")
        assert set(deleted) == {f"n{i}" for i in gone}
        for i in gone:
            assert all(deleted.index(f"n{i}") < deleted.index(f"n{j}") for j in edges[i] & gone)
        assert desk.world.names() == {f"n{i}" for i in everything - gone}
        assert desk.preview().changes == 0
        assert desk.destroy().exit_code == 0
        assert desk.world.names() == set()


class TestProvidersOfKubernetes:
    """What becomes of a cluster's provider, and so of everything in the cluster, when its kubeconfig changes."""

    ATTACHED = (
        "from mesh_components import AttachedCluster, AttachedClusterArgs\n"
        "AttachedCluster('east', AttachedClusterArgs(kubeconfig={!r}))"
    )
    BARE = "pulumi.ProviderResource('kubernetes', 'east-kubernetes', {{'kubeconfig': {!r}}})"

    @pytest.mark.parametrize(("program", "op"), [(ATTACHED, "update"), (BARE, "replace")])
    def test_another_server_replaces_where_nothing_says_that_it_is_the_same_cluster(
        self, desk: Desk, program: str, op: str
    ) -> None:
        desk.up(program.format(kubeconfig("east")))
        assert ops(desk.preview(program.format(kubeconfig("moved"))))["east-kubernetes"] == op

    def test_other_credentials_alone_are_an_update(self, desk: Desk) -> None:
        desk.up(self.BARE.format(kubeconfig("east")))
        other = kubeconfig("east").replace("admin-token", "another-token")
        assert ops(desk.preview(self.BARE.format(other)))["east-kubernetes"] == "update"
