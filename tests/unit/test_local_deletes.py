"""What is deleted at the end of a run, and what is not: an object that another resource of the run stands for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from meshctl.local import passphrase
from meshctl.local.deletes import Deleter
from meshctl.local.model import Progress, Record
from meshctl.local.passphrase import Crypter
from meshctl.local.registry import Registry
from meshctl.local.state import Store
from tests.support.toy import Toy, Watch, World

SERVICE, DEPLOYMENT, PATCH = "core/v1:Service", "apps/v1:Deployment", "core/v1:ServicePatch"


def record(name: str, kind: str = SERVICE, *, uid: str | None = "u1", provider: str = "", id_: str = "x") -> Record:
    outputs = {"metadata": {"uid": uid}} if uid else {}
    type_ = f"kubernetes:{kind}"
    none: frozenset[str] = frozenset()
    return Record(f"urn::{name}", type_, name, True, "", provider, {}, none, (), id_, outputs, none)


@pytest.fixture
def deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)

    def run(left: Record, stays: Record) -> list[str]:
        store = Store(tmp_path / "state.json", "tiny/dev", lambda salt: Crypter("open sesame", salt, "state"))
        for item in (left, stays):
            store.put(item)
        world = World(tmp_path / "world")

        def toy(inputs: Mapping[str, Any], stack: str, progress: Progress) -> Toy:  # noqa: ARG001
            return Toy(world, inputs, progress)

        deleter = Deleter(
            store, Registry("tiny/dev", lambda _urn, _message: None, {"kubernetes": toy}), Watch(), threading.Event()
        )
        deleter.run([left])
        assert deleter.failures == {}
        assert set(store.records) == {stays.urn}
        return world.happened("delete")

    return run


@pytest.mark.parametrize(
    "stays",
    [
        pytest.param(record("new"), id="under another URN"),
        pytest.param(record("new", PATCH), id="as some fields of it"),
        pytest.param(record("new", "core/v2:Service", id_="y"), id="in another version of its kind"),
        pytest.param(record("new", uid=None), id="by name alone"),
    ],
)
def test_an_object_that_a_resource_of_the_run_has_taken_over_stays(deleted: Any, stays: Record) -> None:
    assert deleted(record("old"), stays) == []


@pytest.mark.parametrize(
    ("left", "stays"),
    [
        pytest.param(record("old"), record("new", id_="y", uid="u2"), id="of another name"),
        pytest.param(record("old"), record("new", DEPLOYMENT, uid="u2"), id="of another kind"),
        pytest.param(record("old", id_="", uid=None), record("new", id_="", uid=None), id="not known"),
        pytest.param(record("old", PATCH), record("new"), id="fields, which are given up"),
    ],
)
def test_whatever_else_left_the_program_goes(deleted: Any, left: Record, stays: Record) -> None:
    assert deleted(left, stays) == ["old"]
