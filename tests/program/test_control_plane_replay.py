"""What Istio's own charts render, replayed, where it is at hand: our values are those that it was rendered with, and
our components make resources of every object of it.

The files carry their values in a comment. A value that we call by another name than the chart does would be ignored by
the chart without a word; here it is missed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
import yaml

from mesh_components.control_plane.ambient import Cni, CniArgs, Ztunnel, ZtunnelArgs
from mesh_components.control_plane.base import IstioBase, IstioBaseArgs
from mesh_components.control_plane.istiod import Istiod, IstiodArgs
from mesh_components.control_plane.placeholders import ADDRESS, URL_HOST
from mesh_components.control_plane.remote import RemoteIstiod, RemoteIstiodArgs
from mesh_components.control_plane.tags import RevisionTag, RevisionTagArgs
from mesh_components.control_plane.validator import DefaultValidator, DefaultValidatorArgs
from tests.support.graph import ROOT, Graph, Registered, run
from tests.support.meshes import kubeconfig

RENDERED = ROOT.parent / "shared" / "istio" / "rendered"
pytestmark = pytest.mark.skipif(not RENDERED.is_dir(), reason="what Istio's charts render is not at hand")

FIRST: dict[str, Any] = {"mesh_id": "mesh1", "cluster_name": "cluster1", "network": "network1", "root_cert_pem": "PEM"}
SECOND: dict[str, Any] = {**FIRST, "cluster_name": "cluster2", "network": "network2", "address": "203.0.113.7"}
NODE: dict[str, Any] = {"cluster_name": "cluster1", "network": "network1"}
HOSTNAME: dict[str, Any] = {"address": "gw.example.com", "address_type": "hostname"}
CONFIG: dict[str, Any] = {**HOSTNAME, "by_url": True, "external": True, "config": True, "namespace": "external-istiod"}

Make = Callable[[pulumi.ResourceOptions], object]
FILES: dict[str, Make] = {
    "base": lambda o: _base("", o),
    "base-revisioned": lambda o: _base("1-30-3", o),
    "istiod-primary": lambda o: Istiod("it", IstiodArgs(**FIRST), o),
    "istiod-primary-external": lambda o: Istiod("it", IstiodArgs(**FIRST, serves_remotes=True), o),
    "istiod-primary-revision-tags": lambda o: Istiod("it", _revisioned(), o),
    "istiod-ambient": lambda o: Istiod("it", IstiodArgs(**FIRST, data_plane="ambient", multi_network=True), o),
    "istiod-remote-ip": lambda o: RemoteIstiod("it", RemoteIstiodArgs(**SECOND), o),
    "istiod-remote-hostname": lambda o: RemoteIstiod("it", RemoteIstiodArgs(**{**SECOND, **HOSTNAME}), o),
    "istiod-remote-config-cluster": lambda o: RemoteIstiod("it", RemoteIstiodArgs(**{**FIRST, **CONFIG}), o),
    "cni-ambient": lambda o: Cni("it", CniArgs(ambient=True), o),
    "ztunnel": lambda o: Ztunnel("it", ZtunnelArgs(**NODE), o),
}
NOT_OURS = {"hub", "tag", "global.hub", "global.tag", "istiodRemote.injectionCABundle"}
"""Charts from Istio's source need the first four, released ones have them; the fifth has another placeholder there."""
NOT_READ = {"cni-ambient": {"global.meshID", "global.network", "global.multiCluster.clusterName"}}
"""The files were made with one set of globals for all charts; this one has no use for them."""


def _base(revision: str, opts: pulumi.ResourceOptions) -> None:
    """The chart's objects are those of two components."""
    DefaultValidator("validator", DefaultValidatorArgs(root_cert_pem="PEM", revision=revision), opts)
    IstioBase("it", IstioBaseArgs(), opts)


def _revisioned() -> IstiodArgs:
    return IstiodArgs.model_validate({**FIRST, "revision": "1-30-3", "pilot": {"min_replicas": 2}})


def values_of(name: str) -> dict[str, Any]:
    """The values that a file was rendered with."""
    found: dict[str, Any] = json.loads(
        (RENDERED / f"{name}.yaml").read_text().splitlines()[1].removeprefix("# values:")
    )
    return found


def objects_of(name: str) -> list[dict[str, Any]]:
    # A placeholder of the file in the place of ours: it stands in a URL there.
    text = (RENDERED / f"{name}.yaml").read_text().replace("https://placeholder.invalid", f"https://{URL_HOST}")
    return [item for item in yaml.safe_load_all(text) if item]


def replayed(name: str, make: Make) -> Graph:
    def program() -> None:
        provider = kubernetes.Provider("cluster1", kubeconfig=kubeconfig("cluster1"), cluster_identifier="x/cluster1")
        make(pulumi.ResourceOptions(providers=[provider]))

    return run(program, charts=lambda *_: objects_of(name))


def leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def objects(found: Graph) -> list[Registered]:
    return [item for item in found.kubernetes() if not item.type.endswith(":Release")]


@pytest.fixture(scope="module", params=FILES)
def replay(request: pytest.FixtureRequest) -> tuple[str, Graph]:
    return request.param, replayed(request.param, FILES[request.param])


def test_every_file_of_a_control_plane_is_replayed() -> None:
    ours = {path.stem for path in Path(RENDERED).glob("*.yaml")}
    assert {name for name in ours if not name.startswith("gateway-")} == set(FILES)


def test_our_values_hold_those_of_the_file(replay: tuple[str, Graph]) -> None:
    name, found = replay
    ours = dict(leaves(found.rendered[0]["values"]))
    asked = {key: value for key, value in leaves(values_of(name)) if key not in NOT_OURS | NOT_READ.get(name, set())}
    asked.pop("revisionTags", None)  # A tag is a component of its own.
    if "istiodRemote.injectionURL" in asked:
        asked["istiodRemote.injectionURL"] = asked["istiodRemote.injectionURL"].replace(ADDRESS["hostname"], URL_HOST)
    assert {key: ours.get(key) for key in asked} == asked


def test_every_object_becomes_a_resource(replay: tuple[str, Graph]) -> None:
    """Names are unique: the mocks refuse two resources of one name."""
    name, found = replay
    expected = sorted((item["kind"], item["metadata"]["name"]) for item in objects_of(name))
    assert sorted((item.type.rsplit(":", 1)[-1], item.kubernetes_name) for item in objects(found)) == expected


def test_no_value_of_an_object_is_null(replay: tuple[str, Graph]) -> None:
    """The charts write `annotations: null`, which would be a value on the wire."""

    def nulls(value: Any, where: str = "") -> Iterator[str]:
        if isinstance(value, dict):
            for key, item in value.items():
                yield from nulls(item, f"{where}.{key}")
        elif isinstance(value, list):
            for item in value:
                yield from nulls(item, where)
        elif value is None:
            yield where

    assert [at for item in objects(replay[1]) for at in nulls(item.inputs)] == []


def test_no_address_is_left_to_be_known(replay: tuple[str, Graph]) -> None:
    text = str([item.inputs for item in objects(replay[1])])
    assert not [placeholder for placeholder in (*ADDRESS.values(), URL_HOST) if placeholder in text]


def test_the_way_of_a_remote(replay: tuple[str, Graph]) -> None:
    name, found = replay
    if name == "istiod-remote-ip":
        (slice_,) = found.of_type("kubernetes:discovery.k8s.io/v1:EndpointSlice")
        assert slice_.inputs["endpoints"] == [{"addresses": ["203.0.113.7"]}]
        assert slice_.inputs["addressType"] == "IPv4"
    if name == "istiod-remote-hostname":
        (service,) = found.of_type("kubernetes:core/v1:Service")
        assert service.inputs["spec"]["externalName"] == "gw.example.com"
    if name == "istiod-remote-config-cluster":
        urls = {
            hook["clientConfig"]["url"]
            for item in objects(found)
            if item.type.endswith(":MutatingWebhookConfiguration")
            for hook in item.inputs["webhooks"]
        }
        assert urls == {"https://gw.example.com:15017/inject/cluster/cluster1/net/network1"}


@pytest.mark.parametrize("tag", ["prod", "canary"])
def test_a_tag_takes_its_own_objects_of_the_chart(tag: str) -> None:
    found = replayed(
        "istiod-primary-revision-tags",
        lambda opts: RevisionTag("it", RevisionTagArgs(tag=tag, of=_revisioned()), opts),
    )
    assert {item.kubernetes_name for item in objects(found)} == {
        f"istio-revision-tag-{tag}",
        f"istiod-revision-tag-{tag}",
    }
    assert found.rendered[0]["values"]["revisionTags"] == [tag]
