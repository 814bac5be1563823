"""The way into a cluster on IBM Cloud, as a resource of its own: so it is known in a preview that changes the cluster.

Its certificate ends, and the program renews it with an `up` before it does. Nothing is deleted with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from mesh_components.clusters import ibm_api, ibm_vpc
from mesh_components.clusters.ibm_api import IbmError
from mesh_components.clusters.ibm_kubeconfig import ArchiveError, kubeconfig, lifetime

RENEW_BEFORE = timedelta(days=30)
POLLS = 20
"""A cluster that has just become ready is known to the service that gives kubeconfigs a few minutes later."""
_LATER = (404, 503)
_ASKED = ("cluster", "endpoint")


class IbmKubeconfigs(ResourceProvider):
    """The dynamic provider. Has no state of its own."""

    serialize_as_secret_always = False
    """What the engine keeps of it is the name of this class."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Fetch it."""
        return CreateResult(str(props["cluster"]), _fetched(props))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Fetch another one where it is of another cluster, goes another way, or ends soon. Another key changes
        nothing."""
        changed = any(olds.get(key) != news.get(key) for key in _ASKED)
        return DiffResult(changes=changed or _ends_soon(olds, datetime.now(UTC)), replaces=[])

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Fetch another one."""
        return UpdateResult(_fetched(news))


class IbmKubeconfig(Resource, module="mesh", name="IbmKubeconfig"):
    """The administrator's kubeconfig."""

    kubeconfig: pulumi.Output[str]
    """Secret."""
    expires: pulumi.Output[str]

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = {"kubeconfig": None, "begins": None, "expires": None}
        hidden = pulumi.ResourceOptions(additional_secret_outputs=["apiKey", "kubeconfig"])
        super().__init__(IbmKubeconfigs(), name, {**outputs, **props}, pulumi.ResourceOptions.merge(opts, hidden))


def _fetched(props: Mapping[str, Any]) -> dict[str, Any]:
    """What is recorded: no API key among it."""
    api = ibm_vpc.connected(props)
    body = {"cluster": props["cluster"], "format": "zip", "admin": True, "network": False}
    body |= {"endpointType": props["endpoint"]} if props["endpoint"] == "private" else {}
    for turn in range(POLLS):
        try:
            archive = api.post("/v2/applyRBACAndGetKubeconfig", body)
            break
        except IbmError as error:
            if error.status not in _LATER or turn == POLLS - 1:
                raise
            ibm_api.pause(ibm_vpc.POLL_SECONDS)
    try:
        text = kubeconfig(archive if isinstance(archive, bytes) else b"")
    except ArchiveError as error:
        where = f"IBM Cloud POST /v2/applyRBACAndGetKubeconfig, cluster {props['cluster']}"
        raise IbmError(f"{where}: {error}; look whether `ibmcloud ks cluster config --admin` gives one") from None
    begins, expires = lifetime(text) or ("", "")
    return {**{key: props[key] for key in _ASKED}, "kubeconfig": text, "begins": begins, "expires": expires}


def _ends_soon(olds: Mapping[str, Any], now: datetime) -> bool:
    """Whether the end is nearer than a month, or than half of its life where that is short."""
    if not olds.get("expires"):
        return False
    begins, ends = (datetime.fromisoformat(olds[key]) for key in ("begins", "expires"))
    return ends - now <= min(RENEW_BEFORE, (ends - begins) / 2)
