"""What the lab remembers, and the addresses that follow from it."""

import ipaddress
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from meshctl.cli import main
from meshctl.lab import LabError
from meshctl.lab.process import Running
from meshctl.lab.state import FILE, MAX_CLUSTERS, Cluster, State, free_port, load, new_state


@pytest.fixture
def state() -> State:
    return State((20000, 20001))


class TestAddresses:
    def test_no_two_clusters_share_services_or_load_balancers(self) -> None:
        clusters = [Cluster(f"c{n}", n, 0) for n in range(1, MAX_CLUSTERS + 1)]
        ranges = [ipaddress.ip_network(cluster.service_range) for cluster in clusters]
        balancers = [ipaddress.ip_network(f"{cluster.load_balancers}0/24") for cluster in clusters]
        assert len({*ranges, *balancers}) == 2 * MAX_CLUSTERS
        assert not any(balancer.overlaps(network) for balancer in balancers for network in ranges)
        assert all(network.is_loopback for network in [*ranges, *balancers])

    def test_pods_have_addresses_for_documentation(self) -> None:
        """An EndpointSlice refuses loopback; nothing is ever sent to these."""
        documentation = {"192.0.2.", "198.51.100.", "203.0.113."}
        assert {Cluster("c", n, 0).pods for n in range(1, 10)} == documentation


class TestClusters:
    def test_who_is_there_keeps_number_and_port(self, state: State) -> None:
        state.add(["east", "west"])
        before = dict(state.clusters)
        state.add(["west", "north", "east"])
        assert {name: state.clusters[name] for name in before} == before
        assert state.clusters["north"].index == 3
        assert len(state.ports()) == 5

    @pytest.mark.parametrize("name", ["", "East", "a_b", "-a", "a-", "../up", "a/b", "a" * 64])
    def test_names_that_istio_refuses_are_refused(self, state: State, name: str) -> None:
        with pytest.raises(LabError, match="not a name that Istio takes"):
            state.add([name])

    def test_there_is_an_end(self, state: State) -> None:
        state.clusters = {f"c{n}": Cluster(f"c{n}", n, 30000 + n) for n in range(1, MAX_CLUSTERS + 1)}
        with pytest.raises(LabError, match="all are taken"):
            state.add(["one-more"])


class TestFile:
    def test_comes_back_as_it_was(self, tmp_path: Path) -> None:
        state = new_state()
        state.add(["east"])
        state.processes["etcd"] = Running(42, "some time", ("/bin/etcd", "--flag"))
        state.save(tmp_path)
        assert load(tmp_path) == state
        assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600

    def test_no_lab_is_none(self, tmp_path: Path) -> None:
        assert load(tmp_path) is None

    @pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"etcd_ports": [1], "clusters": {}, "processes": {}})])
    def test_what_the_lab_has_not_written_is_refused(self, tmp_path: Path, text: str) -> None:
        (tmp_path / FILE).write_text(text)
        with pytest.raises(LabError, match="not a file that the lab has written"):
            load(tmp_path)


class TestCommands:
    """`mesh lab status` and `down` of a lab of which nothing runs, and where there is none."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        state = new_state()
        state.add(["east"])
        folder = tmp_path / "lab"
        folder.mkdir()
        state.save(folder)
        return folder

    def lab(self, *words: str) -> Result:
        return CliRunner().invoke(main, ["lab", *words])

    def test_status(self, folder: Path) -> None:
        found = self.lab("status", "--dir", str(folder))
        assert found.exit_code == 1
        assert [line.split()[:2] for line in found.stdout.splitlines()] == [
            *(["cluster", "program"], ["(all)", "etcd"], ["(all)", "stand-in"]),
            *(["east", "kube-apiserver"], ["east", "kube-controller-manager"]),
        ]
        data = json.loads(self.lab("status", "--json", "--dir", str(folder)).stdout)
        assert [(row["cluster"], row["ready"]) for row in data] == [("", False)] * 2 + [("east", False)] * 2

    def test_down(self, folder: Path) -> None:
        found = self.lab("down", "--dir", str(folder))
        assert (found.exit_code, found.stdout) == (0, f"{folder}: removed\n")
        assert not folder.exists()
        again = self.lab("down", "--dir", str(folder))
        assert (again.exit_code, again.stdout) == (0, f"{folder}: no lab is here, so there is nothing to stop\n")

    @pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["down"], ["up"]], ids=" ".join)
    def test_a_folder_that_is_no_lab(self, tmp_path: Path, words: list[str]) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        found = self.lab(*words, "--dir", str(tmp_path))
        assert (found.exit_code, found.stdout) == (1, "")
        assert found.stderr.startswith(f"Error: {tmp_path}: ")
        assert (tmp_path / "notes.txt").exists()


def test_a_free_port_is_one_that_nobody_has() -> None:
    taken = {free_port(set()) for _ in range(5)}
    assert free_port(taken) not in taken
