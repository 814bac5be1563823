"""Which proxy a pod runs and which one it would get, by the labels that Istio's webhooks look at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mesh_components.settings import parse
from meshctl.restart.proxies import Injectors, NobodyError, Proxy, injectors, is_alive, is_old, running

BOTH = Injectors({"": "1.30.3", "1-31-0": "1.31.0"}, {"prod": "1-31-0", "slow": ""})
NAMED = Injectors({"1-31-0": "1.31.0"}, {"default": "1-31-0", "prod": "1-31-0"})

DOCUMENT: dict[str, Any] = {
    "id": "mesh1",
    "istio": {
        "version": "1.31.0",
        "revision": "old",
        "revisions": [{"name": "old", "version": "1.30.3"}, {"name": "new", "clusters": ["east"]}],
        "tags": {"prod": "old"},
    },
    "clusters": [{"name": "east", "network": "n1", "tags": {"prod": "new"}}, {"name": "west", "network": "n2"}],
}


def namespace(**labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "shop", "labels": dashed(labels)}}


def pod(image: str = "proxyv2:1.30.3", note: Any = None, **labels: str) -> dict[str, Any]:
    status = json.dumps({"revision": "default"} if note is None else note)
    return {
        "metadata": {"labels": dashed(labels), "annotations": {"sidecar.istio.io/status": status}},
        "spec": {"containers": [{"name": "app", "image": "app:9.9.9"}, {"name": "istio-proxy", "image": image}]},
    }


def dashed(labels: dict[str, str]) -> dict[str, str]:
    short = {"rev": "istio.io/rev", "injection": "istio-injection", "inject": "sidecar.istio.io/inject"}
    return {short.get(key, key): value for key, value in labels.items()}


class TestWanted:
    """The namespace's label wins over the pod's; a tag stands for the revision that it points at."""

    @pytest.mark.parametrize(
        ("home", "own", "revision"),
        [
            ({"injection": "enabled"}, {}, ""),
            ({"injection": "enabled", "rev": "1-31-0"}, {"rev": "1-31-0"}, ""),
            ({"rev": "default"}, {}, ""),
            ({"rev": "1-31-0"}, {"rev": "default"}, "1-31-0"),
            ({"rev": "prod"}, {}, "1-31-0"),
            ({"rev": "slow"}, {}, ""),
            ({}, {"rev": "prod", "inject": "true"}, "1-31-0"),
            ({}, {"inject": "true"}, ""),
        ],
    )
    def test_beside_the_revision_without_a_name(self, home: dict[str, str], own: dict[str, str], revision: str) -> None:
        assert BOTH.wanted(namespace(**home), pod(**own)) == Proxy(revision, BOTH.versions[revision])

    @pytest.mark.parametrize(("home", "own"), [({"injection": "enabled"}, {}), ({}, {"inject": "true"})])
    def test_the_tag_default(self, home: dict[str, str], own: dict[str, str]) -> None:
        assert NAMED.wanted(namespace(**home), pod(**own)).revision == "1-31-0"

    @pytest.mark.parametrize(
        ("home", "own", "why"),
        [
            ({"injection": "enabled"}, {"inject": "false"}, "inject=false"),
            ({"injection": "disabled"}, {"inject": "true"}, "istio-injection=disabled"),
            ({"rev": "1-29-0"}, {}, "namespace shop says istio.io/rev=1-29-0, which is neither a revision nor a tag"),
            ({}, {"rev": "gone"}, "its pods say istio.io/rev=gone"),
            ({}, {}, "neither namespace shop nor its pods have a label"),
        ],
    )
    def test_nobody(self, home: dict[str, str], own: dict[str, str], why: str) -> None:
        with pytest.raises(NobodyError, match=why):
            BOTH.wanted(namespace(**home), pod(**own))

    def test_nobody_follows_enabled_without_a_tag(self) -> None:
        with pytest.raises(NobodyError, match="istio-injection=enabled, which is neither"):
            Injectors({"1-31-0": "1.31.0"}, {}).wanted(namespace(injection="enabled"), pod())


class TestRunning:
    """What the injector noted, and the image."""

    @pytest.mark.parametrize(
        ("image", "version"),
        [
            ("registry.istio.io/release/proxyv2:1.30.3", "1.30.3"),
            ("localhost:5000/proxyv2:1.30.3-distroless", "1.30.3"),
            ("localhost:5000/proxyv2", None),
            ("proxyv2:1.30.3@sha256:0123", "1.30.3"),
            ("proxyv2@sha256:0123", None),
            ("proxyv2:stable", None),
            ("proxyv2:1.30.3-acme.2", "1.30.3-acme.2"),
        ],
    )
    def test_version(self, image: str, version: str | None) -> None:
        assert running(pod(image)) == Proxy("", version)

    def test_a_native_sidecar(self) -> None:
        native = pod(note={"revision": "1-31-0"})
        native["spec"]["initContainers"] = [native["spec"]["containers"].pop()]
        assert running(native) == Proxy("1-31-0", "1.30.3")

    def test_a_gateway_is_nothing_but_a_proxy(self) -> None:
        gateway = pod(note={"revision": "1-31-0"}, inject="true", rev="prod")
        gateway["spec"]["containers"] = [{"name": "istio-proxy", "image": "proxyv2:1.31.0"}]
        gateway["metadata"]["annotations"]["inject.istio.io/templates"] = "gateway"
        assert running(gateway) == NAMED.wanted(namespace(), gateway) == Proxy("1-31-0", "1.31.0")

    def test_an_image_of_somebodys_choice_is_kept(self) -> None:
        chosen = pod("proxyv2:1.29.0")
        chosen["metadata"]["annotations"]["sidecar.istio.io/proxyImage"] = "proxyv2:1.29.0"
        assert running(chosen) == Proxy("", None)

    @pytest.mark.parametrize("note", ["{", [], {}])
    def test_an_odd_note(self, note: Any) -> None:
        odd = pod(note=note)
        odd["metadata"]["annotations"]["istio.io/rev"] = "1-31-0"
        assert running(odd) == Proxy("1-31-0", "1.30.3")

    def test_who_has_none(self) -> None:
        bare = pod()
        bare["metadata"]["annotations"] = {"ambient.istio.io/redirection": "enabled"}
        assert running(bare) is None
        assert running({"metadata": {}, "spec": {"containers": []}}) is None

    @pytest.mark.parametrize("native", [False, True])
    @pytest.mark.parametrize(("value", "several"), [("true", True), ("false", False), (None, False)])
    def test_whether_it_takes_several_roots(self, value: str | None, several: bool, native: bool) -> None:
        found = pod()
        proxy = found["spec"]["containers"].pop()
        proxy["env"] = [{"name": "A"}, *([{"name": "PROXY_CONFIG_XDS_AGENT", "value": value}] if value else [])]
        found["spec"]["initContainers" if native else "containers"] = [proxy]
        assert running(found) == Proxy("", "1.30.3", several)

    def test_what_istiod_rolls_itself(self) -> None:
        assert running(pod(**{"gateway.istio.io/managed": "istio.io-mesh-controller"})) is None

    def test_alive(self) -> None:
        assert is_alive({"metadata": {}, "status": {"phase": "Pending"}})
        assert not is_alive({"metadata": {"deletionTimestamp": "now"}, "status": {"phase": "Running"}})
        assert not is_alive({"metadata": {}, "status": {"phase": "Succeeded"}})


class TestOld:
    """Another revision, or another version where both are known."""

    @pytest.mark.parametrize(
        ("runs", "wanted", "old"),
        [
            (Proxy("a", "1.30.3"), Proxy("a", "1.30.3"), False),
            (Proxy("a", "1.30.3"), Proxy("b", "1.30.3"), True),
            (Proxy("", "1.30.3"), Proxy("", "1.31.0"), True),
            (Proxy("", None), Proxy("", "1.31.0"), False),
            (Proxy("", "1.30.3"), Proxy("", None), False),
            (Proxy("", "1.31.0-acme.1"), Proxy("", "1.31.0"), False),
            (Proxy("", "1.31.0-rc.1"), Proxy("", "1.31.0"), True),
            (Proxy("", "1.31.0"), Proxy("", "1.31.0-rc.1"), True),
            (Proxy("", "1.31.01"), Proxy("", "1.31.0"), True),
            (Proxy("", "1.31.0"), Proxy("", "1.31.0", multi_root=True), True),
            (Proxy("", "1.31.0", multi_root=True), Proxy("", "1.31.0", multi_root=True), False),
            # Nothing is lost by one that could take more than it has to.
            (Proxy("", "1.31.0", multi_root=True), Proxy("", "1.31.0"), False),
        ],
    )
    def test_old(self, runs: Proxy, wanted: Proxy, old: bool) -> None:
        assert is_old(runs, wanted) == old


class TestInjectors:
    """From the document, for one cluster."""

    def test_each_cluster_has_its_own(self) -> None:
        mesh = parse(DOCUMENT)
        assert injectors(mesh, "east") == Injectors({"old": "1.30.3", "new": "1.31.0"}, {"prod": "new"})
        assert injectors(mesh, "west") == Injectors({"old": "1.30.3"}, {"prod": "old"})

    def test_they_give_several_roots_as_the_document_says(self) -> None:
        mesh = parse({**DOCUMENT, "trust": {"multiRoot": True}})
        wanted = injectors(mesh, "east").wanted(namespace(rev="prod"), pod())
        assert wanted == Proxy("new", "1.31.0", multi_root=True)
        assert str(wanted) == "new (1.31.0), several roots"

    def test_a_remote_behind_a_host_name_has_one_injector(self) -> None:
        east, west = DOCUMENT["clusters"]
        east, west = {**east, "eastWest": {"address": "istiod.example.com"}}, {**west, "role": "remote"}
        mesh = parse({**DOCUMENT, "clusters": [east, {**west, "tags": {"prod": "new"}}]})
        assert injectors(mesh, "east").only is None
        assert injectors(mesh, "west").only == "old"
        both = {**DOCUMENT["istio"], "revisions": [{"name": "old", "version": "1.30.3"}, {"name": "new"}]}
        mesh = parse({**DOCUMENT, "istio": both, "clusters": [east, {**west, "tags": {"prod": "new"}}]})
        assert injectors(mesh, "west").wanted(namespace(rev="prod"), pod()) == Proxy("old", "1.30.3")

    @pytest.mark.parametrize("istio", [{"install": "none"}, {"values": {"istiod": {"global": {"tag": "acme-7"}}}}])
    def test_versions_that_the_document_does_not_decide(self, istio: dict[str, Any]) -> None:
        mesh = parse({**DOCUMENT, "istio": {"version": "1.31.0", **istio}})
        assert injectors(mesh, "east").versions == {"": None}
