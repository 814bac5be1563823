"""A cluster on IBM Cloud as a resource of Pulumi: made, read, changed and deleted by IBM's HTTP API.

Runs inside of Pulumi's host of dynamic providers, which finds the class by its name. What was begun and not recorded,
as when the program is killed while IBM works, is taken up by the next run: names of clusters are unique in an account,
and the request that makes one also marks its nodes with who asked (`ibm_pools.MARK`). A cluster without that mark is
somebody else's, and is left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult
from pulumi.runtime.rpc import UNKNOWN

from mesh_components.clusters import ibm_api, ibm_pools
from mesh_components.clusters.ibm_api import Ibm, IbmError, UnsureError

_LOG = logging.getLogger(__name__)

POLL_SECONDS = 30.0
READY_POLLS = 180
"""An hour and a half, which is what IBM's own tools give it."""
GONE_POLLS = 90
_CREATE_TRIES = 3

_FIXED = ("name", "vpc", "podSubnet", "serviceSubnet", "resourceGroup", "publicEndpoint")
"""What another cluster is needed for. The Kubernetes version and the protection of outbound traffic are those that it
begins with: a change of them counts for nothing here."""
_CHANGED = ("zones", "workerPools", "apiKey", "iam", "containers")
_FAILED = ("deploy_failed", "aborted", "delete_failed")
_GOING = ("deleting", "deleted", "delete_pending")


class IbmVpcClusters(ResourceProvider):
    """The dynamic provider. Has no state of its own."""

    serialize_as_secret_always = False
    """What the engine keeps of it is the name of this class."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make it, or take up what an interrupted run has begun, and wait until it is ready."""
        api = connected(props)
        id_ = _made(api, props)
        ibm_pools.reconcile(api, id_, props)
        return CreateResult(id_, _outputs(api, props, _ready(api, id_, props)))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What there is now; nothing where it is gone. A key that is refused is said and changes nothing: the next
        `up` may bring another one."""
        api = connected(props)
        try:
            cluster = _known(api, id_, props)
            if cluster is None:
                return ReadResult()
            there = ibm_pools.found(api, id_)
        except IbmError as error:
            if not error.no_rights:
                raise
            _LOG.warning("the cluster %s cannot be looked at, and is taken to be as it was: %s", props["name"], error)
            return ReadResult(id_, props)
        ours = [there[pool["name"]] for pool in props["workerPools"] if pool["name"] in there]
        pools = ibm_pools.described(props["workerPools"], there)
        zones = _in_order(ibm_pools.zones_of(ours), props["zones"])
        return ReadResult(id_, {**props, "workerPools": pools, "zones": zones})

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """The number of nodes, their labels, pools and zones are changed in place. Names are unique, so what takes the
        place of a cluster comes after it."""
        replaces = [key for key in _FIXED if news.get(key) != UNKNOWN and olds.get(key) != news.get(key)]
        wrong = "" if replaces or UNKNOWN in _unknown(news) else ibm_pools.impossible(olds, news)
        if wrong:
            raise IbmError(f"IBM Cloud, cluster {news['name']}: {wrong}")
        changes = bool(replaces) or any(olds.get(key) != news.get(key) for key in _CHANGED)
        return DiffResult(changes=changes, replaces=replaces, delete_before_replace=True)

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """New nodes first, and what is not wanted any more when they are there."""
        api = connected(news)
        ibm_pools.reconcile(api, id_, news)
        cluster = _ready(api, id_, news)
        ibm_pools.take_away(api, id_, olds, news)
        return UpdateResult(_outputs(api, news, cluster))

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Have it deleted, and wait until its name is free; storage that its volumes have stays."""
        api = connected(props)
        if _known(api, id_, props) is None:
            return
        api.delete(f"/v1/clusters/{id_}?deleteResources=false")
        for _ in range(GONE_POLLS):
            if api.get("/v2/vpc/getCluster", cluster=id_) is None:
                return
            ibm_api.pause(POLL_SECONDS)
        raise IbmError(
            f"IBM Cloud, cluster {props['name']}: it is still there {_minutes(GONE_POLLS)} minutes after it was "
            f"deleted; look at `ibmcloud ks cluster get --cluster {id_}`, and run again"
        )


class IbmVpcCluster(Resource, module="mesh", name="IbmVpcCluster"):
    """The cluster with its worker pools."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = {"account": None, "publicUrl": None, "privateUrl": None, "kubernetesVersion": None}
        hidden = pulumi.ResourceOptions(additional_secret_outputs=["apiKey"])
        super().__init__(IbmVpcClusters(), name, {**outputs, **props}, pulumi.ResourceOptions.merge(opts, hidden))


def connected(props: Mapping[str, Any]) -> Ibm:
    """A client with the key of these properties."""
    return Ibm(str(props["apiKey"]).strip(), props["iam"], props["containers"], props.get("resourceGroup"))


def _made(api: Ibm, props: Mapping[str, Any]) -> str:
    """The ID of a cluster that was asked for once, whatever became of the answer."""
    name, last = props["name"], None
    for _ in range(_CREATE_TRIES):
        there = api.get("/v2/vpc/getCluster", cluster=name)
        if there is not None and there["name"] == name:
            return _taken_up(api, props, there)
        try:
            return str(api.post("/v2/vpc/createCluster", _request(props), once=True)["clusterID"])
        except UnsureError as error:
            last = error
            ibm_api.pause(POLL_SECONDS)
    raise IbmError(f"IBM Cloud, cluster {name}: asked for {_CREATE_TRIES} times, and it is not there. {last}")


def _taken_up(api: Ibm, props: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    id_, where = str(there["id"]), f"IBM Cloud, cluster {props['name']}"
    if there.get("state") in _GOING:
        raise IbmError(f"{where}: one of this name is being deleted; run again when it is gone")
    pools: Mapping[str, Mapping[str, Any]] = {}
    for _ in range(READY_POLLS):
        pools = ibm_pools.found(api, id_)
        if pools:
            break
        ibm_api.pause(POLL_SECONDS)
    if not any((pool.get("labels") or {}).get(ibm_pools.MARK) == props["owner"] for pool in pools.values()):
        raise IbmError(
            f"{where}: there is one of this name that this stack did not make; write another `name`, or attach that "
            "one by its kubeconfig"
        )
    differs = [key for key, value in _fixed(there).items() if props.get(key) and value != props[key]]
    if differs:
        raise IbmError(
            f"{where}: an interrupted run has begun it with another {' and '.join(differs)}, which cannot be changed; "
            f"delete it with `ibmcloud ks cluster rm --cluster {id_}`, or write what it has"
        )
    _LOG.warning("the cluster %s is there already, from a run that was interrupted; it is taken up", props["name"])
    return id_


def _ready(api: Ibm, id_: str, props: Mapping[str, Any]) -> Mapping[str, Any]:
    """The cluster, when its control plane and all its nodes are ready."""
    where, waits = f"IBM Cloud, cluster {props['name']}", ""
    for _ in range(READY_POLLS):
        cluster = api.get("/v2/vpc/getCluster", cluster=id_)
        if cluster is None or cluster.get("state") in _GOING:
            raise IbmError(f"{where}: somebody deleted it while it was being made; run again")
        if cluster.get("state") in _FAILED:
            raise IbmError(
                f"{where}: it cannot be made, its state is {cluster['state']}; look for the reason with "
                f"`ibmcloud ks cluster get --cluster {id_}`, delete it there, and run again"
            )
        waits = _waits(api, id_, props, cluster)
        if not waits:
            return dict(cluster)
        ibm_api.pause(POLL_SECONDS)
    raise IbmError(
        f"{where}: after {_minutes(READY_POLLS)} minutes {waits}; look at `ibmcloud ks cluster get --cluster {id_}` "
        "and `ibmcloud ks workers`, and run again: the next run goes on from there"
    )


def _waits(api: Ibm, id_: str, props: Mapping[str, Any], cluster: Mapping[str, Any]) -> str:
    status = (cluster.get("lifecycle") or {}).get("masterStatus")
    if status != "Ready":
        return f"the control plane is not ready ({status})"
    workers = api.get("/v2/vpc/getWorkers", cluster=id_, showDeleted="false") or ()
    return ibm_pools.missing(props, ibm_pools.found(api, id_), workers)


def _known(api: Ibm, id_: str, props: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The cluster; None where it is gone. To a key of another account every cluster seems to be gone."""
    cluster = api.get("/v2/vpc/getCluster", cluster=id_)
    if cluster is not None and cluster.get("state") != "deleted":
        return dict(cluster)
    if props.get("account") and api.account != props["account"]:
        raise IbmError(
            f"IBM Cloud, cluster {props['name']}: the API key is of the account {api.account}, and the cluster of "
            f"{props['account']}; use a key of that one"
        )
    return None


def _outputs(api: Ibm, props: Mapping[str, Any], cluster: Mapping[str, Any]) -> dict[str, Any]:
    endpoints = cluster.get("serviceEndpoints") or {}
    return {
        **props,
        "account": api.account,
        "publicUrl": str(endpoints.get("publicServiceEndpointURL") or ""),
        "privateUrl": str(endpoints.get("privateServiceEndpointURL") or ""),
        "kubernetesVersion": str(cluster.get("masterKubeVersion") or ""),
    }


def _request(props: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "provider": "vpc-gen2",
        "name": props["name"],
        "kubeVersion": props.get("version") or "",
        "podSubnet": props.get("podSubnet") or "",
        "serviceSubnet": props.get("serviceSubnet") or "",
        "disablePublicServiceEndpoint": not props["publicEndpoint"],
        "disableOutboundTrafficProtection": not props["outboundTrafficProtection"],
        "defaultWorkerPoolEntitlement": "",
        "cosInstanceCRN": "",
        "workerPool": ibm_pools.first(props),
    }


def _fixed(cluster: Mapping[str, Any]) -> dict[str, Any]:
    found = {"podSubnet": cluster.get("podSubnet"), "serviceSubnet": cluster.get("serviceSubnet")}
    return {"vpc": next(iter(cluster.get("vpcs") or ()), None), **found}


def _in_order(found: list[dict[str, str]], stated: list[dict[str, str]]) -> list[dict[str, str]]:
    """The zones that are there in the order of the document, so that an order is no change."""
    places = {zone["name"]: place for place, zone in enumerate(stated)}
    return sorted(found, key=lambda zone: places.get(zone["name"], len(places)))


def _unknown(news: Mapping[str, Any]) -> list[Any]:
    return [news["zones"], news["workerPools"], *(zone.get("subnet") for zone in news["zones"] if zone != UNKNOWN)]


def _minutes(polls: int) -> int:
    return round(polls * POLL_SECONDS / 60)
