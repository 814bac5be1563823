"""Where the lab's programs come from, without building any."""

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from meshctl.cli import main
from meshctl.lab import LabError, News, programs
from meshctl.lab.programs import FAMILIES, Family, ensure
from meshctl.lab.servers import PROGRAMS
from tests.support.graph import ROOT


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any of the programs: nothing on PATH, an empty cache, pins of its own."""
    for name in ("bin", "assets", "cache", "tools"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setattr(programs, "TOOLS", tmp_path / "tools")
    monkeypatch.setattr(programs, "PROGRESS_SECONDS", 0.05)
    pins(tmp_path, "etcd")
    return tmp_path


def pins(machine: Path, family: str, version: str = "v3.6.5") -> None:
    folder = machine / "tools" / family
    folder.mkdir(exist_ok=True)
    (folder / "go.mod").write_text(f"go 1.24\nrequire go.etcd.io/etcd/server/v3 {version}\n")
    (folder / "go.sum").write_text("")


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def go(machine: Path, build: str, version: str = "go1.26.8") -> None:
    """A `go` that tells its version, and runs `build` with the path of the wanted program in $out."""
    find_out = 'while [ "$1" != -o ]; do shift; done; out=$2'
    script(
        machine / "bin" / "go",
        f'[ "$1" = version ] && echo "go version {version} any/any" && exit\n{find_out}\n{build}',
    )


def quiet(_news: News) -> None:
    return


class TestSearchOrder:
    def test_assets_win_over_path_and_path_over_the_cache(self, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        on_path = script(machine / "bin" / "etcd", "")
        assert ensure(["etcd"], quiet) == {"etcd": on_path}
        in_assets = script(machine / "assets" / "etcd", "")
        monkeypatch.setenv("KUBEBUILDER_ASSETS", str(machine / "assets"))
        assert ensure(["etcd"], quiet) == {"etcd": in_assets}

    def test_what_was_taken_is_said(self, machine: Path) -> None:
        script(machine / "bin" / "etcd", "")
        news: list[News] = []
        ensure(["etcd"], news.append)
        assert "from PATH" in news[0].text

    def test_what_is_cached_is_not_built_again(self, machine: Path) -> None:
        go(machine, "echo built >> ${0%/*}/count; echo > $out; /bin/chmod +x $out")
        first, second = ensure(["etcd"], quiet), ensure(["etcd"], quiet)
        assert first == second
        assert (machine / "bin" / "count").read_text() == "built\n"

    def test_an_empty_assets_variable_means_no_assets(self, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`shutil.which` would otherwise look into the current folder."""
        monkeypatch.setenv("KUBEBUILDER_ASSETS", "")
        monkeypatch.chdir(machine / "assets")
        script(machine / "assets" / "etcd", "")
        with pytest.raises(LabError):
            ensure(["etcd"], quiet)


class TestKey:
    def test_changes_with_the_pins_and_with_nothing_else(self, machine: Path) -> None:
        etcd = FAMILIES[0]
        before = etcd.key()
        assert etcd.key() == before
        pins(machine, "etcd", "v3.6.6")
        assert etcd.key() != before

    def test_the_pinned_version_is_stamped_in(self) -> None:
        kubernetes, helm = FAMILIES[1], FAMILIES[2]
        flags = kubernetes.flags("require (\n\tk8s.io/kubernetes v1.34.2 // indirect\n)")[-1]
        assert "version.gitVersion=v1.34.2 " in flags
        assert flags.endswith("gitMajor=1 -X k8s.io/component-base/version.gitMinor=34")
        assert "k8sVersionMajor=1 " in helm.flags("\tk8s.io/client-go v0.34.2 // indirect")[-1]

    @pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
    def test_the_pins_of_the_project_are_whole(self, family: Family) -> None:
        """Every program has a `tool` line, so that `go mod tidy` keeps what it needs."""
        text = family.pins()
        assert all(package in text for package in family.packages.values())
        assert family.flags(text)


class TestBuild:
    def test_a_failed_build_tells_why_and_leaves_nothing(self, machine: Path) -> None:
        go(machine, "echo no such module >&2; exit 1")
        with pytest.raises(LabError, match=r"(?s)no such module.*GOPROXY"):
            ensure(["etcd"], quiet)
        assert [path.name for path in (machine / "cache").rglob("*") if path.is_file()] == [".lock"]

    def test_an_interrupted_build_leaves_nothing(self, machine: Path) -> None:
        go(machine, "echo half > $out; exec /bin/sleep 86413")

        def interrupt(_news: News) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            ensure(["etcd"], interrupt)
        assert [path.name for path in (machine / "cache").rglob("*") if path.is_file()] == [".lock"]
        sleeping = subprocess.run(["/bin/ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert "sleep 86413" not in sleeping  # a number that nobody else sleeps for

    @pytest.mark.usefixtures("machine")
    def test_without_go_the_fix_is_named(self) -> None:
        with pytest.raises(LabError, match=r"install Go 1\.24 or newer.*KUBEBUILDER_ASSETS.*the first two only"):
            ensure(["etcd"], quiet)

    def test_a_go_that_is_too_old_is_refused(self, machine: Path) -> None:
        go(machine, "exit 1", version="go1.23.4")
        with pytest.raises(LabError, match=r"go1\.23\.4.*too old"):
            ensure(["etcd"], quiet)

    def test_installed_without_the_repository_it_says_so(self, machine: Path) -> None:
        for path in (machine / "tools" / "etcd").iterdir():
            path.unlink()
        with pytest.raises(LabError, match="not of the installed package"):
            ensure(["etcd"], quiet)

    @pytest.mark.usefixtures("machine")
    def test_an_unknown_program_is_refused(self) -> None:
        with pytest.raises(LabError, match="not a program of the lab"):
            ensure(["kubelet"], quiet)


class TestPrerequisites:
    """What `make` says before it begins."""

    def check(self, machine: Path) -> tuple[int, str]:
        script(machine / "bin" / "uname", "echo Linux")
        python = script(machine / "bin" / "python", "exit 0")
        command = ["/bin/bash", str(ROOT / "tools" / "prerequisites"), str(python)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def test_the_folder_of_setup_envtest_is_not_enough(self, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBEBUILDER_ASSETS", str(machine / "assets"))
        for name in ("etcd", "kube-apiserver"):
            script(machine / "assets" / name, "")
        code, said = self.check(machine)
        assert code == 1
        assert "so they must be built: kube-controller-manager. Install Go 1.24 or newer" in said
        script(machine / "bin" / "kube-controller-manager", "")
        assert self.check(machine) == (0, "")

    def test_all_that_is_missing_is_named_unless_go_can_build_it(self, machine: Path) -> None:
        assert "must be built: etcd kube-apiserver kube-controller-manager." in self.check(machine)[1]
        go(machine, "")
        assert self.check(machine) == (0, "")


class TestCommand:
    """`mesh lab build` and `up`, as far as they come without building anything."""

    def test_what_is_there_is_named(self, machine: Path) -> None:
        for name in (*PROGRAMS, "helm"):
            script(machine / "bin" / name, "")
        done = CliRunner().invoke(main, ["lab", "build"])
        assert (done.exit_code, done.stderr) == (0, "")
        *each, last = done.stdout.splitlines()
        assert each == [f"{name}: from PATH: {machine / 'bin' / name}" for name in (*PROGRAMS, "helm")]
        assert last.startswith("etcd, kube-apiserver, kube-controller-manager, helm are there; what was built is in ")

    @pytest.mark.parametrize("words", [["build"], ["up", "--dir", "lab"]], ids=lambda words: words[0])
    def test_without_go_the_fix_is_told(self, machine: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
        monkeypatch.chdir(machine)
        done = CliRunner().invoke(main, ["lab", *words])
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith("Error: ")
        assert "install Go 1.24 or newer" in done.stderr
        assert not (machine / "lab").exists()


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert programs.cache_root() == tmp_path / "mesh-components"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    assert programs.cache_root() == tmp_path / ".cache" / "mesh-components"
