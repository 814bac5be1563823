"""Istio's own CRDs in a cluster, where they are at hand: those of the lab take whatever a spec holds."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import yaml

from meshctl.lab.api import Api, ApiError
from meshctl.lab.prepare import DEFINITIONS, kinds
from tests.support.istio_documents import CRDS


def know_istio(api: Api) -> None:
    """Put Istio's CRDs in the place of the stand-ins, and wait until they are what objects are checked with."""
    for item in _definitions():
        api.apply(f"{DEFINITIONS}/{item['metadata']['name']}", item)
    _wait(api)


def know_stand_ins(api: Api) -> None:
    """The stand-ins again."""
    for path, body in kinds():
        api.apply(path, body)


@cache
def _definitions() -> list[dict[str, Any]]:
    return [item for item in yaml.load_all(CRDS.read_text(), Loader=yaml.CSafeLoader) if item]


def _wait(api: Api) -> None:
    """A moment after a CRD was changed, its API server still goes by the old one."""
    wrong = _sidecar({"egress": [{"hosts": 1}]})
    path = "/apis/networking.istio.io/v1/namespaces/default/sidecars?dryRun=All"
    end = time.monotonic() + 60
    while _accepted(api, path, wrong):
        assert time.monotonic() < end, "the API server does not go by Istio's schema"
        time.sleep(0.2)


def _accepted(api: Api, path: str, body: dict[str, Any]) -> bool:
    try:
        api.request("POST", path, body)
    except ApiError as error:
        return error.status not in (400, 422)
    return True


def _sidecar(spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": {"name": "wrong"}, "spec": spec}


def forget_kept(*apis: Api) -> None:
    """Take away the CRDs of the charts' stand-ins that a destroy kept: they belong to a release in one root namespace,
    and the next recipe, or test, may use another."""
    for api in apis:
        for name in _kept(api):
            api.request("DELETE", f"{DEFINITIONS}/{name}")
    end = time.monotonic() + 60
    while any(map(_kept, apis)):
        assert time.monotonic() < end, "CRDs do not go"
        time.sleep(0.1)


def _kept(api: Api) -> list[str]:
    return [
        item["metadata"]["name"] for item in api.get(DEFINITIONS)["items"] if item["spec"]["group"] == "charts.test"
    ]
