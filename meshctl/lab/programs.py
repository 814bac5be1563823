"""Where the lab's programs come from: what is installed, else the cache, else a build from the modules in `tools/`.

Search order: `KUBEBUILDER_ASSETS` (a folder such as `setup-envtest` fills), PATH, the cache, a build into the cache.
The cache's key is the pins and the build flags of a family, so a new pin never finds an old program.
The Go tool chain checks every module against `go.sum`; where it downloads from is up to its own settings (GOPROXY).
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from meshctl.lab import LabError, News, Report
from meshctl.lab.files import locked, private_folder

TOOLS = Path(__file__).resolve().parents[2] / "tools"
PROGRESS_SECONDS = 1.0


@dataclass(frozen=True)
class Change:
    """A line of a program's source that is another one in the lab."""

    file: str
    """In the versioned module."""
    line: str
    instead: str


@dataclass(frozen=True)
class Family:
    """Programs that are built from one Go module; between families the requirements conflict."""

    name: str
    packages: dict[str, str]
    """Program name to Go package."""
    stamps: dict[str, str]
    """Go variable to its value: `{v}`, `{major}` and `{minor}` are those of `versioned`."""
    versioned: str = ""
    """The module whose pinned version is stamped into the program."""
    changes: tuple[Change, ...] = ()

    @property
    def folder(self) -> Path:
        """Where its go.mod and go.sum are."""
        return TOOLS / self.name

    def pins(self) -> str:
        """The text of go.mod and go.sum."""
        try:
            return "\n".join((self.folder / file).read_text() for file in ("go.mod", "go.sum"))
        except FileNotFoundError as error:
            raise LabError(
                f"{', '.join(self.packages)}: not in KUBEBUILDER_ASSETS nor on PATH, and the pins to build from are "
                f"missing ({error.filename}): they are part of the project's repository, not of the installed package. "
                "Install the programs and put them on PATH, or run this from a checkout (`pip install -e .`)."
            ) from error

    def flags(self, pins: str) -> list[str]:
        """Flags of `go build`: small, the same bytes from any folder, and with the version stamped in."""
        stamps = [f"-X {variable}={value}" for variable, value in self._stamp_values(pins)]
        return ["-trimpath", "-ldflags", " ".join(["-s -w", *stamps])]

    def _stamp_values(self, pins: str) -> list[tuple[str, str]]:
        if not self.stamps:
            return []
        found = re.search(rf"^\s*(?:require )?{re.escape(self.versioned)} v(\d+)\.(\d+)\.\S+", pins, re.MULTILINE)
        if found is None:
            raise LabError(f"{self.folder / 'go.mod'}: requires no version of {self.versioned}; add it with `go get`.")
        version = found[0].split()[-1]
        # Kubernetes' libraries are v0.<minor> where Kubernetes itself is v1.<minor>.
        words = {"v": version, "major": "1" if found[1] == "0" else found[1], "minor": found[2]}
        return [(variable, value.format(**words)) for variable, value in self.stamps.items()]

    def key(self) -> str:
        """Name of its folder in the cache: changes with every pin, flag and kind of machine."""
        pins = self.pins()
        text = "\n".join(
            [pins, *self.flags(pins), *sorted(self.packages.values()), platform.system(), platform.machine()]
            + [str(change) for change in self.changes]
        )
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


FAMILIES = (
    Family("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}, {}),
    Family(
        "kubernetes",
        {name: f"k8s.io/kubernetes/cmd/{name}" for name in ("kube-apiserver", "kube-controller-manager")},
        {
            "k8s.io/component-base/version.gitVersion": "{v}",
            "k8s.io/component-base/version.gitMajor": "{major}",
            "k8s.io/component-base/version.gitMinor": "{minor}",
        },
        "k8s.io/kubernetes",
        (
            # So long it waits for other API servers to hear that a namespace goes. The lab has one per cluster, and a
            # mesh goes with its namespaces.
            Change(
                "pkg/controller/namespace/namespace_controller.go",
                "namespaceDeletionGracePeriod = 5 * time.Second",
                "namespaceDeletionGracePeriod = 100 * time.Millisecond",
            ),
        ),
    ),
    Family(
        "helm",
        {"helm": "helm.sh/helm/v3/cmd/helm"},
        {  # Without these Helm believes that it talks to Kubernetes 1.20, and charts refuse to be rendered.
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor": "{major}",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor": "{minor}",
        },
        "k8s.io/client-go",
    ),
)


def ensure(names: Iterable[str], report: Report) -> dict[str, Path]:
    """The path of each program, building what is nowhere to be found; raises `LabError` when that cannot be."""
    return {name: _installed(name, report) or _cached(name, report) for name in names}


def cache_root() -> Path:
    """The user's cache folder, by the XDG rules."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mesh-components"


def _installed(name: str, report: Report) -> Path | None:
    """What a person chose wins over the pins, whatever its version is; so say which one was taken."""
    for source in ("KUBEBUILDER_ASSETS", "PATH"):
        found = shutil.which(name, path=os.environ.get(source, ""))
        if found:
            path = Path(found).resolve()
            report(News(name, f"from {source}: {path}"))
            return path
    return None


def _cached(name: str, report: Report) -> Path:
    family = next((family for family in FAMILIES if name in family.packages), None)
    if family is None:
        raise LabError(
            f"{name}: not a program of the lab; known are {', '.join(n for f in FAMILIES for n in f.packages)}."
        )
    folder = private_folder(cache_root() / family.key())
    program = folder / name
    if not program.exists():
        with locked(folder / ".lock"):
            if not program.exists():
                _build(family, program, report)
    return program


def _build(family: Family, program: Path, report: Report) -> None:
    """Build under a temporary name and rename, so that an interrupted build leaves nothing that looks whole."""
    pins = family.pins()
    go = _go(pins)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=program.parent, prefix=".build-") as folder:
        draft, log = Path(folder) / program.name, Path(folder) / "log"
        with log.open("wb") as output:
            changed = _changed(go, family, Path(folder), output) if family.changes else []
            command = [go, "build", *changed, *family.flags(pins), "-o", str(draft), family.packages[program.name]]
            process = subprocess.Popen(
                command, cwd=family.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            while _still_running(process):
                report(
                    News(
                        program.name, f"building from tools/{family.name}, {time.monotonic() - began:.0f} s", done=False
                    )
                )
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            raise _build_failed(family, f"`go build` of {program.name}", log)
        draft.replace(program)
    report(
        News(
            program.name,
            f"built from tools/{family.name} in {time.monotonic() - began:.0f} s, kept in {program.parent}",
        )
    )


def _changed(go: str, family: Family, folder: Path, log: IO[bytes]) -> list[str]:
    """Flags by which `go build` takes a copy of the module, with the changes, in its place
    (https://go.dev/ref/mod#go-mod-file-replace): the module cache itself must not be written."""
    command = [go, "mod", "download", "-json", family.versioned]
    found = subprocess.run(command, cwd=family.folder, stdout=subprocess.PIPE, stderr=log, text=True, check=False)
    if found.returncode:
        raise _build_failed(family, f"`go mod download {family.versioned}`", Path(log.name))
    copy = folder / "module"
    shutil.copytree(json.loads(found.stdout)["Dir"], copy)
    for directory in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        directory.chmod(0o700)  # That of the cache is for reading only, and this one is removed again.
    for change in family.changes:
        source = copy / change.file
        text = source.read_text()
        if text.count(change.line) != 1:
            raise LabError(
                f"{family.versioned}/{change.file}: has not once `{change.line}`, which the lab changes; see FAMILIES "
                "in meshctl/lab/programs.py, and write the line as the pinned version has it."
            )
        source.unlink()
        source.write_text(text.replace(change.line, change.instead))
    pins = (family.folder / "go.mod").read_text()
    (folder / "go.mod").write_text(f"{pins}\nreplace {family.versioned} => {copy}\n")
    shutil.copy(family.folder / "go.sum", folder / "go.sum")
    return ["-modfile", str(folder / "go.mod")]


def _still_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(PROGRESS_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _build_failed(family: Family, what: str, log: Path) -> LabError:
    tail = "\n  ".join(log.read_text(errors="replace").splitlines()[-15:])
    return LabError(
        f"{what} failed in {family.folder}:\n  {tail}\n"
        "If it could not download modules, set GOPROXY to a module proxy that this machine can reach; "
        f"or put {', '.join(family.packages)} on PATH or into KUBEBUILDER_ASSETS."
    )


def _go(pins: str) -> str:
    """The Go tool chain, checked against the `go` line of the pins."""
    found = re.search(r"^go (\d+)\.(\d+)", pins, re.MULTILINE)
    needed = (int(found[1]), int(found[2])) if found else (1, 24)
    advice = (
        f"install Go {needed[0]}.{needed[1]} or newer (https://go.dev/dl), or put etcd, kube-apiserver and "
        "kube-controller-manager on PATH or into the folder KUBEBUILDER_ASSETS (`setup-envtest use` fills one with the "
        "first two only)."
    )
    go = shutil.which("go")
    if go is None:
        raise LabError(
            f"go: not on PATH, and the lab's programs are not installed either, so they must be built; {advice}"
        )
    answer = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"go(\d+)\.(\d+)", answer)
    if version is None or (int(version[1]), int(version[2])) < needed:
        raise LabError(
            f"{go}: is {answer.strip() or 'of unknown version'}, too old to build the lab's programs; {advice}"
        )
    return go
