"""A cluster on IBM Cloud, on the local engine: what is asked, what is kept, and what nobody is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mesh_components.clusters import ibm_api, ibm_vpc
from meshctl.local import passphrase
from meshctl.rows import Report
from tests.support.ibm import FORBIDDEN, KEY, NOT_FOUND, SILENT, THROTTLED, Answer, SmallIbm, running
from tests.support.toy import Desk, ops

PROGRAM = """
import json, os
from mesh_components import IbmCluster, IbmClusterArgs
from mesh_components.settings.ibm import IbmSettings
settings = IbmSettings.model_validate({
    "vpc": "r010-vpc", "zones": [{"name": "eu-de-1", "subnet": "0717-1"}], "deletionProtection": False,
    "iamEndpoint": os.environ["IBM"], "containersEndpoint": os.environ["IBM"] + "/global",
    **json.loads(os.environ["WANTED"])})
made = IbmCluster("west", IbmClusterArgs(
    settings=settings, api_key=os.environ["KEY"], pod_range=os.environ.get("PODS")))
pulumi.export("server", made.api_server)
pulumi.export("kubeconfig", made.kubeconfig)
"""
CREATE = "/global/v2/vpc/createCluster"
KUBECONFIG = "/global/v2/applyRBACAndGetKubeconfig"
CLUSTER = "west-cluster"


@pytest.fixture(autouse=True)
def _passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No time passes."""
    kept: list[float] = []
    monkeypatch.setattr(ibm_api, "pause", kept.append)
    return kept


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallIbm]:
    with running(SmallIbm()) as ibm:
        monkeypatch.setenv("IBM", ibm.address)
        monkeypatch.setenv("KEY", KEY)
        yield ibm


class Site:
    """A desk whose program makes the cluster."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = Desk(folder)
        self._monkeypatch = monkeypatch
        self.want()

    def want(self, **wanted: Any) -> None:
        self._monkeypatch.setenv("WANTED", json.dumps(wanted))

    def up(self, **wanted: Any) -> Report:
        if wanted:
            self.want(**wanted)
        return self.desk.up(PROGRAM)

    def done(self, **wanted: Any) -> dict[str, str]:
        report = self.up(**wanted)
        assert not report.failures, report.failures
        return ops(report)

    def preview(self) -> dict[str, str]:
        report = self.desk.preview(PROGRAM)
        assert not report.failures, report.failures
        return ops(report)

    def shown(self) -> str:
        watch = self.desk.watch
        said = [*map(repr, self.desk.asked), *watch.warnings, *(str(error) for _, error in watch.ended)]
        return "\n".join([*said, *(path.read_text() for path in self.desk.root.rglob("*.json*"))])


@pytest.fixture
def site(tmp_path: Path, server: SmallIbm, monkeypatch: pytest.MonkeyPatch) -> Site:
    assert server.address
    return Site(tmp_path, monkeypatch)


def pools(*pools: dict[str, Any]) -> dict[str, Any]:
    return {"workerPools": list(pools)}


class TestMade:
    def test_a_preview_asks_nobody(self, site: Site, server: SmallIbm) -> None:
        assert site.preview()[CLUSTER] == "create"
        assert server.asked == []

    def test_up_makes_one_waits_for_its_nodes_and_the_next_preview_is_empty(
        self, site: Site, server: SmallIbm, waits: list[float]
    ) -> None:
        report = site.up()
        assert not report.failures
        (made,) = server.requests(CREATE)
        assert json.loads(made.body)["workerPool"]["zones"] == [{"id": "eu-de-1", "subnetID": "0717-1"}]
        assert ibm_vpc.POLL_SECONDS in waits
        assert report.outputs["server"] == "https://west.example.com:30000"
        assert set(site.preview().values()) == {"same"}
        assert set(site.done().values()) == {"same"}
        assert len(server.requests(CREATE)) == 1
        assert len(server.requests(KUBECONFIG)) == 1

    def test_what_is_left_out_is_left_to_ibm_and_a_mesh_gets_out(self, site: Site, server: SmallIbm) -> None:
        site.done()
        asked = json.loads(server.requests(CREATE)[0].body)
        assert (asked["kubeVersion"], asked["podSubnet"]) == ("", "")
        assert asked["disableOutboundTrafficProtection"] is True
        assert asked["disablePublicServiceEndpoint"] is False

    def test_nothing_that_is_kept_or_shown_has_key_token_or_kubeconfig(self, site: Site, server: SmallIbm) -> None:
        site.done()
        site.done(**pools({"workers": 2}))
        said = site.shown()
        assert len(said) > 1000
        for secret in (KEY, *server.tokens, "client-key-data", "PRIVATE KEY"):
            assert secret not in said


class TestChanged:
    def test_a_node_count_is_an_update_in_place_of_that_resource_alone(self, site: Site, server: SmallIbm) -> None:
        site.done()
        site.want(**pools({"workers": 3}))
        wanted = {CLUSTER: "update", "west": "same", "west-kubernetes": "same", "west-kubeconfig": "same"}
        assert site.preview() == wanted
        assert site.done() == wanted
        assert server.cluster("west")["pools"]["default"]["workerCount"] == 3
        assert len(server.requests(CREATE)) == len(server.requests(KUBECONFIG)) == 1

    def test_pools_and_zones_come_and_go_in_place(self, site: Site, server: SmallIbm) -> None:
        site.done()
        more = pools({"labels": {"a": "b"}}, {"name": "big", "flavor": "bx2.16x64"})
        zones = [{"name": "eu-de-2", "subnet": "0727-2"}, {"name": "eu-de-1", "subnet": "0717-1"}]
        assert site.done(**more, zones=zones)[CLUSTER] == "update"
        made = server.cluster("west")["pools"]
        assert {name: [zone["id"] for zone in pool["zones"]] for name, pool in made.items()} == {
            "default": ["eu-de-1", "eu-de-2"],
            "big": ["eu-de-2", "eu-de-1"],
        }
        assert made["default"]["labels"]["a"] == "b"
        assert set(site.preview().values()) == {"same"}
        site.done(**pools({"name": "big", "flavor": "bx2.16x64"}))
        assert {
            name: [zone["id"] for zone in pool["zones"]] for name, pool in server.cluster("west")["pools"].items()
        } == {"big": ["eu-de-1"]}
        assert set(site.preview().values()) == {"same"}

    def test_another_kind_of_machine_is_another_pool(self, site: Site, server: SmallIbm) -> None:
        site.done()
        report = site.up(**pools({"flavor": "bx2.16x64"}))
        assert "add a pool with another name for bx2.16x64, apply, and then take this one out" in str(report.failures)
        assert server.cluster("west")["pools"]["default"]["flavor"] == "bx2.4x16"

    def test_what_cannot_be_changed_replaces_it_and_the_old_one_goes_first(
        self, site: Site, server: SmallIbm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Names are unique in an account."""
        site.done()
        monkeypatch.setenv("PODS", "172.30.0.0/16")
        assert site.preview()[CLUSTER] == "replace"
        assert site.done()[CLUSTER] == "replace"
        assert server.made == 2
        assert list(server.clusters) == ["c2abc"]

    def test_drift_is_seen_and_mended(self, site: Site, server: SmallIbm) -> None:
        site.done()
        server.cluster("west")["pools"]["default"]["workerCount"] = 7
        assert site.preview()[CLUSTER] == "update"
        site.done()
        assert server.cluster("west")["pools"]["default"]["workerCount"] == 1

    def test_the_number_of_nodes_is_the_autoscaler_s_where_there_is_one(self, site: Site, server: SmallIbm) -> None:
        site.done()
        server.cluster("west")["pools"]["default"] |= {"autoscaleEnabled": True, "workerCount": 7}
        assert site.preview()[CLUSTER] == "same"

    def test_a_pool_that_others_made_is_left_alone(self, site: Site, server: SmallIbm) -> None:
        site.done()
        made = server.cluster("west")["pools"]
        made["theirs"] = {**made["default"], "poolName": "theirs"}
        assert set(site.done().values()) == {"same"}
        assert "theirs" in made

    def test_a_certificate_that_ends_soon_is_renewed_as_an_update(self, site: Site, server: SmallIbm) -> None:
        server.life = timedelta(days=20)
        site.done()
        server.life = timedelta(days=2)
        assert set(site.preview().values()) == {"same"}
        site.desk.state_file.write_text(site.desk.state_file.read_text().replace('"expires":"2', '"expires":"1'))
        assert site.preview()["west-kubeconfig"] == "update"
        found = site.done()
        assert (found["west-kubeconfig"], found[CLUSTER], found["west-kubernetes"]) == ("update", "same", "update")

    def test_protection_keeps_it(self, site: Site, server: SmallIbm) -> None:
        site.done(deletionProtection=True)
        assert site.desk.destroy().failures
        assert server.clusters
        site.done(deletionProtection=False)
        assert not site.desk.destroy().failures
        assert server.clusters == {}


class TestSurvives:
    def test_an_answer_that_got_lost(self, site: Site, server: SmallIbm) -> None:
        """It was made all the same, and is not made again."""
        server.unanswered = [CREATE]
        assert not site.up().failures
        assert server.made == 1

    def test_errors_and_throttling_on_every_way(self, site: Site, server: SmallIbm, waits: list[float]) -> None:
        server.instead = [
            ("/identity", THROTTLED),
            (CREATE, THROTTLED),
            (CREATE, (502, {}, {})),
            ("/global/v2/vpc/getCluster", SILENT),
            ("/global/v2/vpc/getWorkers", (500, {}, {})),
            (KUBECONFIG, NOT_FOUND),
            (KUBECONFIG, (503, {}, {})),
        ]
        assert not site.up().failures
        assert server.instead == []
        assert server.made == 1
        assert 7 in waits

    def test_a_run_that_was_interrupted(self, site: Site, server: SmallIbm) -> None:
        """The next one takes up the cluster that the first one asked for."""
        server.instead = [("/global/v2/vpc/getWorkers", FORBIDDEN)]
        assert site.up().failures
        assert server.made == 1
        report = site.up()
        assert not report.failures
        assert server.made == 1
        assert any("it is taken up" in warning for warning in site.desk.watch.warnings)
        assert set(site.preview().values()) == {"same"}

    def test_and_changes_what_was_changed_in_between(self, site: Site, server: SmallIbm) -> None:
        server.instead = [("/global/v2/vpc/getWorkers", FORBIDDEN)]
        assert site.up().failures
        site.done(**pools({"workers": 4}))
        assert server.cluster("west")["pools"]["default"]["workerCount"] == 4

    def test_a_cluster_of_that_name_that_is_somebody_else_s_is_left_alone(self, site: Site, server: SmallIbm) -> None:
        site.done()
        theirs = server.clusters
        site.desk.state_file.unlink()
        for pool in server.cluster("west")["pools"].values():
            pool["labels"].pop("mesh-made-by")
        report = site.up()
        assert "there is one of this name that this stack did not make" in str(report.failures)
        assert server.clusters == theirs

    def test_time_that_is_over(self, site: Site, server: SmallIbm, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ibm_vpc, "READY_POLLS", 2)
        server.slow = 9
        report = site.up()
        assert "the control plane is not ready (Deploy in progress); look at `ibmcloud ks" in str(report.failures)
        server.slow = 1
        assert not site.up().failures
        assert server.made == 1

    def test_a_cluster_that_ibm_could_not_make(self, site: Site, server: SmallIbm) -> None:
        broken: Answer = (200, {"id": "c1abc", "name": "west", "state": "deploy_failed", "vpcs": ["r010-vpc"]}, {})
        server.instead = [("/global/v2/vpc/getCluster", NOT_FOUND), ("/global/v2/vpc/getCluster", broken)]
        assert "its state is deploy_failed; look for the reason" in str(site.up().failures)

    def test_one_that_was_deleted_elsewhere_is_made_again(self, site: Site, server: SmallIbm) -> None:
        site.done()
        server.clusters.clear()
        assert site.done()[CLUSTER] == "create"
        assert server.made == 2

    def test_deleting_one_that_is_gone(self, site: Site, server: SmallIbm) -> None:
        site.done()
        server.clusters.clear()
        assert not site.desk.destroy().failures
        assert not site.desk.state_file.exists()

    def test_destroy_waits_until_its_name_is_free(self, site: Site, server: SmallIbm, waits: list[float]) -> None:
        site.done()
        waits.clear()
        assert not site.desk.destroy().failures
        assert server.clusters == {}
        assert waits

    def test_a_key_that_lost_its_rights_is_said_and_another_one_goes_on(
        self, site: Site, server: SmallIbm, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        site.done()
        server.keys = {"another-secret-key"}
        assert site.preview()[CLUSTER] == "same"
        assert "is taken to be as it was" in str(site.desk.watch.warnings)
        report = site.up(**pools({"workers": 2}))
        assert "the API key is refused (400)" in str(report.failures)
        monkeypatch.setenv("KEY", "another-secret-key")
        found = site.done()
        assert (found[CLUSTER], found["west-kubeconfig"]) == ("update", "same")
        assert server.cluster("west")["pools"]["default"]["workerCount"] == 2
        assert not any(key in site.shown() for key in (KEY, "another-secret-key"))

    def test_a_key_of_another_account_makes_no_second_cluster(self, site: Site, server: SmallIbm) -> None:
        """To it, the cluster seems to be gone."""
        site.done()
        hidden, server.clusters, server.account = server.clusters, {}, "another-account"
        report = site.desk.preview(PROGRAM)
        assert "the API key is of the account another-account" in str(report.failures)
        assert site.up().failures
        assert server.made == 1
        assert hidden
