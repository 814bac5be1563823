"""What is in a cluster stays as it is when the cluster's kubeconfig changes, or its number of nodes: two runs on a real
API server, and the objects' UIDs. The cluster on IBM Cloud is the lab's, handed out by the IBM Cloud of the tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from mesh_components.clusters import ibm_api
from meshctl.local import passphrase
from meshctl.rows import Report
from tests.lab.conftest import RealLab
from tests.support.ibm import KEY, SmallIbm, running
from tests.support.toy import Desk, ops

pytestmark = pytest.mark.lab
OBJECT = """
from mesh_components.kubernetes import KubernetesObject
manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": os.environ["NS"]}}
KubernetesObject("kept", manifest, cluster.inside())
"""
ATTACHED = """
import os
from mesh_components import AttachedCluster, AttachedClusterArgs
cluster = AttachedCluster("east", AttachedClusterArgs(kubeconfig=os.environ["EAST"]))
"""
ON_IBM = """
import json, os
from mesh_components import IbmCluster, IbmClusterArgs
from mesh_components.settings.ibm import IbmSettings
cluster = IbmCluster("west", IbmClusterArgs(api_key=os.environ["KEY"], settings=IbmSettings.model_validate({
    "vpc": "v", "zones": [{"name": "eu-de-1", "subnet": "s"}], "deletionProtection": False,
    "iamEndpoint": os.environ["IBM"], "containersEndpoint": os.environ["IBM"] + "/global",
    "workerPools": [{"workers": int(os.environ["WORKERS"])}]})))
"""


@pytest.fixture
def desk(tmp_path: Path, fresh_namespace: str, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    monkeypatch.setenv("NS", fresh_namespace)
    monkeypatch.setattr(passphrase, "ITERATIONS", 10)
    monkeypatch.setattr(ibm_api, "pause", lambda _: None)
    return Desk(tmp_path)


@pytest.fixture
def ibm(lab: RealLab, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallIbm]:
    with running(SmallIbm(kubeconfig=lambda _: lab.kubeconfig("cluster1").read_text())) as server:
        monkeypatch.setenv("IBM", server.address)
        monkeypatch.setenv("KEY", KEY)
        yield server


def uid(lab: RealLab, namespace: str) -> str:
    core = client.CoreV1Api(lab.client("cluster1"))
    return str(core.read_namespaced_config_map("kept", namespace).metadata.uid)


def done(report: Report) -> dict[str, str]:
    assert not report.failures, report.failures
    return ops(report)


def moved(kubeconfig: str) -> str:
    """The same cluster by another name of its server, and with all names in the kubeconfig changed."""
    document: dict[str, Any] = yaml.safe_load(kubeconfig)
    for entry in document["clusters"]:
        entry["cluster"]["server"] = entry["cluster"]["server"].replace("127.0.0.1", "localhost")
    names = {item["name"] for key in ("clusters", "contexts", "users") for item in document[key]}
    text = json.dumps(document)
    for name in names:
        text = text.replace(json.dumps(name), json.dumps(f"{name}-moved"))
    return text


def test_another_kubeconfig_of_an_attached_cluster(
    lab: RealLab, desk: Desk, fresh_namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = lab.kubeconfig("cluster1").read_text()
    monkeypatch.setenv("EAST", first)
    done(desk.up(ATTACHED + OBJECT))
    before = uid(lab, fresh_namespace)
    other = moved(first)
    assert other != first
    monkeypatch.setenv("EAST", other)
    wanted = {"east": "same", "east-kubernetes": "update", "kept": "same"}
    assert done(desk.preview()) == wanted
    assert done(desk.up()) == wanted
    assert uid(lab, fresh_namespace) == before
    assert desk.preview().changes == 0
    done(desk.destroy())


def test_another_number_of_nodes_on_ibm_cloud(
    lab: RealLab, desk: Desk, ibm: SmallIbm, fresh_namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way in is known in the preview, so what is in the cluster is compared with what is there."""
    monkeypatch.setenv("WORKERS", "1")
    done(desk.up(ON_IBM + OBJECT))
    before = uid(lab, fresh_namespace)
    monkeypatch.setenv("WORKERS", "3")
    wanted = {
        "west": "same", "west-cluster": "update", "west-kubeconfig": "same", "west-kubernetes": "same", "kept": "same",
    }  # fmt: skip
    assert done(desk.preview()) == wanted
    assert done(desk.up()) == wanted
    assert uid(lab, fresh_namespace) == before
    assert ibm.cluster("west")["pools"]["default"]["workerCount"] == 3


def test_destroying_a_cluster_does_not_ask_it_to_delete_what_is_inside(
    lab: RealLab, desk: Desk, ibm: SmallIbm, fresh_namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERS", "1")
    done(desk.up(ON_IBM + OBJECT))
    done(desk.destroy())
    assert ibm.clusters == {}
    assert not desk.state_file.exists()
    assert uid(lab, fresh_namespace), "the lab's cluster is not really gone, and nobody deleted in it"
