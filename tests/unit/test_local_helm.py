"""Charts and releases, with a program in the place of helm that tells what it was asked."""

from __future__ import annotations

import json
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meshctl.local.model import UNKNOWN, Applied, Goal, Op, Record, StepError, Unreachable
from meshctl.local.providers import helm, helm_release
from meshctl.local.providers.helm_release import HelmReleases

FAKE = """#!{python}
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
args = sys.argv[1:]
kubeconfig = pathlib.Path(args[args.index("--kubeconfig") + 1]) if "--kubeconfig" in args else None
call = {{
    "args": args,
    "stdin": sys.stdin.read() if "-" in args else "",
    "kubeconfig": kubeconfig.read_text() if kubeconfig else "",
    "mode": oct(kubeconfig.stat().st_mode & 0o777) if kubeconfig else "",
    "env": sorted(key for key in os.environ if key.startswith(("HELM_", "KUBE"))),
    "session": os.getsid(0),
}}
with open(folder / "calls", "a") as calls:
    calls.write(json.dumps(call) + "\\n")
answers = json.loads((folder / "answers").read_text())
answer = answers.get(args[0], "")
if isinstance(answer, list):
    sys.stderr.write(answer[0])
    sys.exit(1)
print(answer)
"""
DEPLOYED = json.dumps({"info": {"status": "deployed"}})
MADE = json.dumps(
    {
        "name": "crds",
        "namespace": "istio-system",
        "version": 1,
        "info": {"status": "deployed"},
        "chart": {"metadata": {"name": "base", "version": "1.2.3"}},
        "manifest": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: n}\n",
    }
)


class Fake:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "helm"
        self.program.write_text(FAKE.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)
        self.answer()

    def answer(self, **answers: Any) -> None:
        (self.folder / "answers").write_text(json.dumps(answers))

    @property
    def calls(self) -> list[dict[str, Any]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    fake = Fake(tmp_path)
    monkeypatch.setattr(helm, "helm_program", lambda: fake.program)
    monkeypatch.setattr(helm, "_results", {})
    return fake


class TestRunning:
    """What of its surroundings reaches helm."""

    def test_the_shell_does_not_choose_the_cluster(self, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
        elsewhere = ("KUBEAPISERVER", "KUBECONTEXT", "KUBETOKEN", "KUBEASUSER", "KUBECAFILE", "NAMESPACE", "DRIVER")
        for name in (*(f"HELM_{name}" for name in elsewhere), "KUBECONFIG", "HELM_CACHE_HOME"):
            monkeypatch.setenv(name, "x")
        helm.run_helm(["status", "a"])
        assert "HELM_CACHE_HOME" in fake.calls[-1]["env"]
        assert not [name for name in fake.calls[-1]["env"] if name == "KUBECONFIG" or name[5:] in elsewhere]

    def test_the_terminal_does_not_interrupt_it(self, fake: Fake) -> None:
        helm.run_helm(["status", "a"])
        assert fake.calls[-1]["session"] != os.getsid(0)


class TestTemplate:
    """`kubernetes:helm:template`, as the real provider answers it."""

    OPTIONS = '{"chart": "istiod", "version": "1.2.3", "fetch_opts": {"repo": "https://charts.example"}, '

    def options(self, **more: Any) -> dict[str, Any]:
        common: dict[str, Any] = json.loads(self.OPTIONS + '"namespace": "istio-system", "release_name": "istiod"}')
        return common | more

    def test_all_options_reach_helm(self, fake: Fake) -> None:
        helm.template(self.options(values={"a": {"b": 1}}, kube_version="1.32.0", api_versions=["v1", "x/v1"]))
        (call,) = fake.calls
        args = call["args"]
        assert args[:3] == ["template", "istiod", "istiod"]
        flags = " ".join(args[3:])
        for wanted in (
            "--repo https://charts.example",
            "--version 1.2.3",
            "--namespace istio-system",
            "--kube-version 1.32.0",
            "--api-versions v1 --api-versions x/v1",
            "--include-crds",
            "--no-hooks",
            "--values -",
        ):
            assert wanted in flags
        assert json.loads(call["stdin"]) == {"a": {"b": 1}}

    def test_documents_become_objects_and_lists_are_taken_apart(self, fake: Fake) -> None:
        item = "{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}}"
        listed = "apiVersion: v1\nkind: List\nitems: [" + item % "b" + "]"
        fake.answer(template=f"---\n{item % 'a'}\n---\n# nothing\n---\n{listed}")
        assert [o["metadata"]["name"] for o in helm.template(self.options())] == ["a", "b"]

    def test_equal_options_are_rendered_once(self, fake: Fake) -> None:
        helm.template(self.options())
        helm.template(self.options())
        helm.template(self.options(values={"x": 1}))
        assert len(fake.calls) == 2

    def test_what_helm_says_is_the_error(self, fake: Fake) -> None:
        fake.answer(template=["WARNING: old\nError: chart requires kubeVersion >=9\n\nUse --debug flag\n"])
        with pytest.raises(StepError) as caught:
            helm.template(self.options())
        assert str(caught.value) == "helm template istiod: chart requires kubeVersion >=9"

    def test_a_repository_that_is_not_there_is_told_with_a_way_round(self, fake: Fake) -> None:
        why = 'looks like "https://x" is not a valid chart repository or cannot be reached: no such host'
        fake.answer(template=[f"Error: {why}\n"])
        with pytest.raises(StepError, match="\n  where it cannot be, give the charts as a folder") as caught:
            helm.template(self.options())
        assert why in str(caught.value)

    def test_a_chart_must_be_named(self) -> None:
        with pytest.raises(StepError, match="neither `path` nor `chart`"):
            helm.template({"values": {}})


KUBECONFIG = '{"apiVersion": "v1", "kind": "Config"}'
INPUTS = {"name": "crds", "namespace": "istio-system", "chart": "base", "version": "1.2.3", "values": {"a": 1}}


def goal(**inputs: Any) -> Goal:
    return Goal("urn::crds", helm.RELEASE, "crds", True, "", "", INPUTS | inputs, frozenset(), ())


def record(done: Applied, **inputs: Any) -> Record:
    return Record(
        "urn::crds",
        helm.RELEASE,
        "crds",
        True,
        "",
        "",
        INPUTS | inputs,
        frozenset(),
        (),
        done.id,
        done.outputs,
        frozenset(),
    )


class TestRelease:
    """One release, by helm and the kubeconfig of its provider."""

    @pytest.fixture
    def releases(self, fake: Fake) -> HelmReleases:  # noqa: ARG002
        return HelmReleases({"kubeconfig": KUBECONFIG}, "mesh/dev", "east", lambda _urn, _message: None)

    @pytest.fixture
    def done(self, fake: Fake, releases: HelmReleases) -> Applied:
        fake.answer(status=["Error: release: not found"], upgrade=MADE)
        return releases.apply(goal(), None, releases.plan(goal(), None))

    def test_it_is_installed_with_a_borrowed_kubeconfig(self, fake: Fake, done: Applied) -> None:
        call = fake.calls[-1]
        assert call["args"][:4] == ["upgrade", "crds", "base", "--install"]
        assert "--labels mesh-stack=mesh_dev" in " ".join(call["args"])
        assert "--wait" in call["args"]
        assert (call["kubeconfig"], call["mode"]) == (KUBECONFIG, "0o600")
        assert json.loads(call["stdin"]) == {"a": 1}
        path = call["args"][call["args"].index("--kubeconfig") + 1]
        assert not fake.folder.joinpath(path).exists()
        assert done.id == "istio-system/crds"
        assert done.outputs["resourceNames"] == {"ConfigMap/v1": ["n/c"]}
        assert done.outputs["status"]["version"] == "1.2.3"

    def test_the_same_is_left_alone(self, fake: Fake, releases: HelmReleases, done: Applied) -> None:
        fake.answer(status=DEPLOYED)
        assert releases.plan(goal(), record(done)).op is Op.SAME

    @pytest.mark.parametrize(
        ("inputs", "op"),
        [({"values": {"a": 2}}, Op.UPDATE), ({"version": "2"}, Op.UPDATE), ({"namespace": "other"}, Op.REPLACE)],
    )
    def test_changes(self, fake: Fake, releases: HelmReleases, done: Applied, inputs: Any, op: Op) -> None:
        fake.answer(status=DEPLOYED)
        step = releases.plan(goal(**inputs), record(done))
        assert step.op is op
        assert step.outputs["status"] is UNKNOWN

    def test_what_is_gone_or_failed_is_made_again(self, fake: Fake, releases: HelmReleases, done: Applied) -> None:
        fake.answer(status=["Error: release: not found"])
        assert releases.plan(goal(), record(done)).op is Op.CREATE
        fake.answer(status=json.dumps({"info": {"status": "failed"}}))
        assert releases.plan(goal(), record(done)).op is Op.UPDATE

    def test_one_that_somebody_else_made_is_left_alone(self, fake: Fake, releases: HelmReleases) -> None:
        fake.answer(status=DEPLOYED, list="[]")
        with pytest.raises(StepError, match="exists already and is not this stack's"):
            releases.apply(goal(), None, releases.plan(goal(), None))
        assert "upgrade" not in [call["args"][0] for call in fake.calls]

    def test_one_of_ours_that_was_never_recorded_is_taken_up(self, fake: Fake, releases: HelmReleases) -> None:
        pending = json.dumps({"info": {"status": "pending-install"}})
        fake.answer(status=pending, list='[{"name": "crds"}]', upgrade=MADE)
        releases.apply(goal(), None, releases.plan(goal(), None))
        assert [call["args"][0] for call in fake.calls] == ["status", "list", "uninstall", "upgrade"]

    def test_an_unreachable_cluster_is_left_to_the_state(
        self, fake: Fake, releases: HelmReleases, done: Applied
    ) -> None:
        fake.answer(status=["Error: Kubernetes cluster unreachable: dial tcp"])
        with pytest.raises(Unreachable):
            releases.plan(goal(), record(done))
        assert releases.plan_recorded(goal(), record(done)).op is Op.SAME

    def test_a_missing_exec_plugin_is_no_missing_release(
        self, fake: Fake, releases: HelmReleases, done: Applied
    ) -> None:
        why = 'Get "https://x/version": getting credentials: exec: executable gke-gcloud-auth-plugin not found'
        fake.answer(status=[f"Error: Kubernetes cluster unreachable: {why}"])
        with pytest.raises(Unreachable):
            releases.plan(goal(), record(done))

    def test_a_preview_needs_no_kubeconfig(self, fake: Fake, done: Applied) -> None:
        unknown = HelmReleases({"kubeconfig": UNKNOWN}, "mesh/dev", "east", lambda _urn, _message: None)
        before = len(fake.calls)
        assert unknown.plan(goal(), None).op is Op.CREATE
        assert unknown.plan(goal(), record(done)).op is Op.SAME
        assert len(fake.calls) == before

    @pytest.mark.parametrize("inputs", [{}, {"kubeconfig": ""}, {"kubeconfig": " \n"}, {"kubeconfig": {}}])
    def test_without_a_kubeconfig_it_goes_nowhere(self, fake: Fake, done: Applied, inputs: Any) -> None:
        nowhere = HelmReleases(inputs, "mesh/dev", "east", lambda _urn, _message: None)
        before = len(fake.calls)
        with pytest.raises(Unreachable, match=r"east: its provider has .* kubeconfig"):
            nowhere.plan(goal(), record(done))
        with pytest.raises(StepError, match=r"east: its provider has .* kubeconfig"):
            nowhere.delete(record(done))
        assert len(fake.calls) == before

    def test_contents_on_one_line_are_no_path(self, fake: Fake, done: Applied) -> None:
        text = "--- {apiVersion: v1, kind: Config, clusters: []}"
        HelmReleases({"kubeconfig": text}, "mesh/dev", "east", lambda _urn, _message: None).delete(record(done))
        assert fake.calls[-1]["kubeconfig"] == text

    def test_a_path_is_handed_on(self, fake: Fake, done: Applied, tmp_path: Path) -> None:
        (tmp_path / "config").write_text(KUBECONFIG)
        by_path = HelmReleases({"kubeconfig": f"{tmp_path}/config\n"}, "mesh/dev", "east", lambda _u, _m: None)
        by_path.delete(record(done))
        assert f"{tmp_path}/config" in fake.calls[-1]["args"]

    def test_deleting_waits(self, fake: Fake, releases: HelmReleases, done: Applied) -> None:
        releases.delete(record(done))
        args = fake.calls[-1]["args"]
        assert args[:2] == ["uninstall", "crds"]
        assert {"--wait", "--ignore-not-found"} <= set(args)

    def begun(self, **inputs: Any) -> Record:
        """What is recorded of a release whose making did not come to its end."""
        return replace(record(Applied("", {}), **inputs), pending=Op.CREATE)

    def test_what_may_be_somebody_elses_is_not_deleted(self, fake: Fake, releases: HelmReleases) -> None:
        fake.answer(status=DEPLOYED, list="[]")
        releases.delete(self.begun())
        assert [call["args"][0] for call in fake.calls] == ["list"]

    def test_nor_is_it_upgraded_at_the_second_try(self, fake: Fake, releases: HelmReleases) -> None:
        fake.answer(status=DEPLOYED, list="[]", upgrade=MADE)
        with pytest.raises(StepError, match="exists already and is not this stack's"):
            releases.apply(goal(), self.begun(), releases.plan(goal(), self.begun()))

    def test_one_of_ours_that_was_never_recorded_is_deleted(self, fake: Fake, releases: HelmReleases) -> None:
        fake.answer(list='[{"name": "crds"}]')
        releases.delete(self.begun())
        assert [call["args"][:2] for call in fake.calls][1:] == [["uninstall", "crds"]]

    def test_one_without_a_name_is_deleted_by_the_name_drawn_for_it(self, fake: Fake, releases: HelmReleases) -> None:
        fake.answer(list='[{"name": "drawn"}]')
        before = self.begun(name=None)
        releases.delete(before)
        name = helm_release._named(goal(name=None), None)[1]
        assert name.startswith("crds-")
        assert fake.calls[-1]["args"][:2] == ["uninstall", name]

    def test_a_local_chart_is_watched(self, fake: Fake, releases: HelmReleases, tmp_path: Path) -> None:
        chart = tmp_path / "chart"
        chart.mkdir()
        (chart / "Chart.yaml").write_text("name: x\n")
        wanted = goal(chart=str(chart))
        fake.answer(status=["Error: release: not found"], upgrade=MADE)
        before = record(releases.apply(wanted, None, releases.plan(wanted, None)), chart=str(chart))
        fake.answer(status=DEPLOYED)
        assert releases.plan(wanted, before).op is Op.SAME
        (chart / "Chart.yaml").write_text("name: y\n")
        assert releases.plan(wanted, before).op is Op.UPDATE

    def test_inputs_it_does_not_know_are_refused_by_name(self, releases: HelmReleases) -> None:
        with pytest.raises(StepError, match="postrender needs the Pulumi CLI"):
            releases.plan(goal(postrender="x"), None)

    def test_without_a_name_one_is_drawn_that_stays(self, releases: HelmReleases) -> None:
        nameless = goal()
        nameless = Goal(**{**nameless.__dict__, "inputs": {k: v for k, v in INPUTS.items() if k != "name"}})
        name = releases.plan(nameless, None).outputs["name"]
        assert name.startswith("crds-")
        assert releases.plan(nameless, None).outputs["name"] == name
        assert helm_release._named(nameless, None) == ("istio-system", name)
