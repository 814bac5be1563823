"""The lab itself: what `up`, `down` and `status` do, for the command line and for tests.

    with running_lab(folder, ["east", "west"]) as lab:
        kubeconfig = lab.kubeconfig("east")

`up` moves towards the wanted state from whatever it finds: a process that runs, as the same command as today's, stays;
all others are started. So it may be interrupted anywhere and run again. One `up` or `down` at a time (`.lock`).
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import urllib3

from meshctl.lab import LabError, News, Report, process, programs, servers, silent
from meshctl.lab.api import Api, ApiError, Unreachable
from meshctl.lab.credentials import write_credentials
from meshctl.lab.files import locked, private_folder
from meshctl.lab.prepare import NAMESPACE, prepare, tells_all_kinds
from meshctl.lab.pretend import NODE
from meshctl.lab.servers import APISERVER, CONTROLLERS, ETCD, STANDIN, Layout, process_name
from meshctl.lab.state import FILE, Cluster, State, load, new_state

DEFAULT_CLUSTERS = ("cluster1", "cluster2")
READY_SECONDS = 180.0
"""Two API servers need about 10 s on two idle cores; this is for machines that are busy with something else."""
STOP_SECONDS = 2.0
"""An API server that is to end would wait a minute for open watches. Killing it loses nothing: all is in etcd."""
STEP = 0.05
LOCK = ".lock"
NODE_PATH = f"/api/v1/nodes/{NODE}"
"""Made by the stand-in."""
FIRST_ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/default"
"""Made by the controllers; without it the API server refuses every pod."""


@dataclass(frozen=True)
class Health:
    """How one process of the lab is."""

    cluster: str
    """Empty for what all clusters share."""
    program: str
    server: str
    pid: int | None
    ready: bool
    version: str


class Lab:
    """The lab in one folder, running or not."""

    def __init__(self, directory: Path, report: Report = silent) -> None:
        self.dir = directory.absolute()
        self._layout = Layout(self.dir)
        self._report = report

    @property
    def exists(self) -> bool:
        """Whether there is something to take down."""
        return (self.dir / FILE).exists()

    def kubeconfig(self, cluster: str) -> Path:
        """The administrator's kubeconfig of a cluster."""
        return self._layout.kubeconfig(cluster)

    def api(self, cluster: str) -> Api:
        """The lab's own small client of a cluster, as administrator."""
        return Api(self.kubeconfig(cluster))

    def clusters(self) -> list[Cluster]:
        """The clusters of the lab, running or not."""
        return list(self._state().clusters.values())

    def up(self, names: Iterable[str] = (), namespaces: Iterable[str] = (NAMESPACE,)) -> None:
        """Start what does not run, and add clusters that are new; without names and without a lab, the default ones.

        Each cluster gets the stand-ins of Istio, with these root namespaces; those that it has it keeps.
        """
        self._refuse_strangers()
        found = programs.ensure(servers.PROGRAMS, self._report)
        with self._locked():
            state = self._begin(names)
            every = list(state.clusters.values())
            self._keep(state, ETCD, servers.etcd(found, self._layout, state))
            self._wait(state, ETCD, lambda: _etcd_healthy(state))
            for cluster in every:
                self._keep_apiserver(state, cluster.name, servers.apiserver(found, self._layout, state, cluster))
            for cluster in every:
                self._wait_apiserver(state, cluster.name)
                name = process_name(cluster.name, CONTROLLERS)
                self._keep(state, name, servers.controllers(found, self._layout, cluster))
            self._keep(state, STANDIN, servers.standin(self._layout, state))
            with ThreadPoolExecutor() as pool:
                list(pool.map(partial(self._prepare, namespaces=tuple(namespaces)), every))
            self._wait(state, STANDIN, lambda: all(self._has(cluster, NODE_PATH) for cluster in every))
            for cluster in every:
                name = process_name(cluster.name, CONTROLLERS)
                self._wait(state, name, partial(self._has, cluster, FIRST_ACCOUNT))

    def down(self) -> None:
        """Stop every process that the lab started, then remove its folder."""
        if not self.dir.exists():
            self._report(News(str(self.dir), "no lab is here, so there is nothing to stop"))
            return
        self._state()  # A folder that is no lab is refused before even a lock is put there.
        with self._locked():
            state = self._state()
            # Clients before their servers: nobody asks a server that is gone, and no server waits for its clients.
            for group in ((STANDIN, CONTROLLERS), (APISERVER,), (ETCD,)):
                chosen = {name: known for name, known in state.processes.items() if name.endswith(group)}
                process.stop(list(chosen.values()), STOP_SECONDS)
                for name in chosen:
                    self._report(News(name, "stopped"))
            shutil.rmtree(self.dir)
        self._report(News(str(self.dir), "removed"))

    def status(self) -> list[Health]:
        """How every process is, now."""
        state = self._state()
        shared = [(ETCD, f"http://127.0.0.1:{state.etcd_ports[0]}", _etcd_healthy(state)), (STANDIN, "", True)]
        rows = [self._health(state, "", name, server, good) for name, server, good in shared]
        for cluster in state.clusters.values():
            version = self._version(cluster.name)
            rows.append(self._health(state, cluster.name, APISERVER, cluster.server, bool(version), version))
            rows.append(self._health(state, cluster.name, CONTROLLERS, "", good=True))
        return rows

    def stop_apiserver(self, cluster: str) -> None:
        """Stop the API server of one cluster; the others, and everything else, keep running."""
        with self._locked():
            state = self._state()
            process.stop([state.processes[self._apiserver_of(state, cluster)]], STOP_SECONDS)

    def start_apiserver(self, cluster: str) -> None:
        """Start it again, as it was, and wait until it is ready; its controllers begin anew.

        A controller manager that cannot renew its lease ends and is started again, and then looks at everything. Ours
        has no lease: after ten tries it would leave a token's Secret empty for ever.
        """
        with self._locked():
            state = self._state()
            self._keep_apiserver(state, cluster, state.processes[self._apiserver_of(state, cluster)].command)
            self._wait_apiserver(state, cluster)
            controllers = process_name(cluster, CONTROLLERS)
            self._keep(state, controllers, state.processes[controllers].command)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """The lock lies in the folder itself, and goes with it."""
        with locked(self.dir / LOCK):
            private_folder(self.dir).chmod(0o700)  # A `down` that went before has removed it, or it was there already.
            yield

    def _state(self) -> State:
        state = load(self.dir)
        if state is None:
            raise LabError(
                f"{self.dir}: no lab is here ({FILE} is missing); `mesh lab up` makes one, `--dir` names another."
            )
        return state

    def _begin(self, names: Iterable[str]) -> State:
        state = load(self.dir) or new_state()
        state.add(list(names) or ([] if state.clusters else DEFAULT_CLUSTERS))
        state.save(self.dir)
        private_folder(self.dir / "logs")
        for cluster in state.clusters.values():
            write_credentials(self._layout.cluster(cluster.name), cluster)
        return state

    def _refuse_strangers(self) -> None:
        """Before anything is put there: what is in the folder of a lab goes when the lab goes."""
        inside = [] if self.exists or not self.dir.exists() else sorted(path.name for path in self.dir.iterdir())
        strangers = [name for name in inside if name != LOCK]
        if strangers:
            raise LabError(
                f"{self.dir}: holds other things ({', '.join(strangers[:3])}) and no {FILE}; `down` would remove "
                "them, so choose an empty or a new folder with `--dir`."
            )

    def _keep(self, state: State, name: str, command: Sequence[str]) -> None:
        """Leave the process alone if it runs as this command, else start it; written down at once."""
        known = state.processes.get(name)
        if known and known.alive:
            if known.command == tuple(command):
                return
            process.stop([known], STOP_SECONDS)
        state.processes[name] = process.start(command, self._layout.log(name))
        state.save(self.dir)

    def _wait(self, state: State, name: str, good: Callable[[], bool]) -> None:
        began = time.monotonic()
        while True:
            seconds = time.monotonic() - began
            if not state.processes[name].alive:
                raise self._failed(name, "ended instead of getting ready")
            if good():
                break
            if seconds > READY_SECONDS:
                raise self._failed(name, f"not ready after {seconds:.0f} s")
            self._report(News(name, f"starting, {seconds:.0f} s", done=False))
            time.sleep(STEP)
        self._report(News(name, f"ready, pid {state.processes[name].pid}"))

    def _keep_apiserver(self, state: State, cluster: str, command: Sequence[str]) -> None:
        """As `_keep`; before it starts, its controllers end: they would look at it before it tells of all that it has,
        and let a namespace go before what CRDs have brought is out of it."""
        name, controllers = (process_name(cluster, program) for program in (APISERVER, CONTROLLERS))
        known = state.processes.get(name)
        if controllers in state.processes and not (known and known.alive and known.command == tuple(command)):
            process.stop([state.processes[controllers]], STOP_SECONDS)
        self._keep(state, name, command)

    def _wait_apiserver(self, state: State, cluster: str) -> None:
        api = self.api(cluster)
        self._wait(state, process_name(cluster, APISERVER), lambda: _answers(api, "/readyz") and tells_all_kinds(api))

    def _failed(self, name: str, what: str) -> LabError:
        log = self._layout.log(name)
        tail = "\n  ".join(log.read_text(errors="replace").splitlines()[-8:])
        return LabError(
            f"{name}: {what}. The end of {log}:\n  {tail}\n"
            "Run `mesh lab up` again; if that does not help (a port that another program took), `mesh lab down` "
            "and anew."
        )

    def _prepare(self, cluster: Cluster, namespaces: tuple[str, ...]) -> None:
        try:
            prepare(self.api(cluster.name), namespaces)
        except (ApiError, *Unreachable) as error:
            raise LabError(
                f"{cluster.name}: the stand-ins could not be applied: {error}. Run `mesh lab up` again."
            ) from error
        self._report(
            News(cluster.name, "stand-ins for Istio's kinds and reader account applied (Istio itself is not installed)")
        )

    def _has(self, cluster: Cluster, path: str) -> bool:
        return _answers(self.api(cluster.name), path)

    def _version(self, cluster: str) -> str:
        """The version of a ready API server; empty when it is not ready."""
        try:
            api = self.api(cluster)
            api.request("GET", "/readyz")
            return str(api.get("/version")["gitVersion"])
        except (ApiError, *Unreachable):
            return ""

    @staticmethod
    def _health(state: State, cluster: str, program: str, server: str, good: bool, version: str = "") -> Health:
        known = state.processes.get(process_name(cluster, program) if cluster else program)
        alive = known is not None and known.alive
        return Health(cluster, program, server, known.pid if known and alive else None, alive and good, version)

    def _apiserver_of(self, state: State, cluster: str) -> str:
        name = process_name(cluster, APISERVER)
        if name not in state.processes:
            raise LabError(
                f"{cluster}: no such cluster in {self.dir}; there are {', '.join(state.clusters) or 'none'}."
            )
        return name


@contextmanager
def running_lab(directory: Path, clusters: Iterable[str] = DEFAULT_CLUSTERS, report: Report = silent) -> Iterator[Lab]:
    """A lab that runs inside the `with`, and of which nothing is left after it."""
    lab = Lab(directory, report)
    try:
        lab.up(clusters)
        yield lab
    finally:
        if lab.exists:
            lab.down()


def _answers(api: Api, path: str) -> bool:
    try:
        api.request("GET", path)
    except (ApiError, *Unreachable):
        return False
    return True


def _etcd_healthy(state: State) -> bool:
    try:
        answer = urllib3.request(
            "GET", f"http://127.0.0.1:{state.etcd_ports[0]}/health", retries=False, timeout=urllib3.Timeout(2.0)
        )
    except Unreachable:
        return False
    return answer.status == 200
