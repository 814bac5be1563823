"""Worker pools of a cluster on IBM Cloud: what is there, what is to be there, and the requests in between.

A pool is never changed into another kind of machine: that would take all its nodes away at once. Pools that this
program did not make, and the number of nodes where IBM's autoscaler decides it, are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from mesh_components.clusters.ibm_api import Ibm, IbmError

MARK = "mesh-made-by"
"""Label of the first pool's nodes that says which resource of which stack asked for the cluster; it is part of the
request that makes the cluster, so there is no cluster of ours without it."""

Pool = Mapping[str, Any]
"""As the resource's input `workerPools` has it: name, flavor, workers, labels."""


def found(api: Ibm, cluster: str) -> dict[str, Mapping[str, Any]]:
    """The pools that are there, by name, as IBM Cloud describes them."""
    pools = api.get("/v2/vpc/getWorkerPools", cluster=cluster) or ()
    alive = (pool for pool in pools if (pool.get("lifecycle") or {}).get("actualState") != "deleted")
    return {str(pool["poolName"]): pool for pool in alive}


def described(stated: Iterable[Pool], there: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those of the stated pools that are there, with what they are now, in the words of the input."""
    return [_described(pool, there[pool["name"]]) for pool in stated if pool["name"] in there]


def _described(stated: Pool, pool: Mapping[str, Any]) -> dict[str, Any]:
    labels = {key: value for key, value in (pool.get("labels") or {}).items() if key in stated["labels"]}
    scaled = bool(pool.get("autoscaleEnabled"))
    return {
        "name": pool["poolName"],
        "flavor": pool["flavor"],
        "workers": stated["workers"] if scaled else int(pool["workerCount"]),
        "labels": labels,
    }


def zones_of(pools: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The zones that all these pools have, as the input `zones` has them."""
    each = [
        {zone["id"]: next((item["id"] for item in zone["subnets"] if item["primary"]), "") for zone in pool["zones"]}
        for pool in pools
    ]
    common = set.intersection(*(set(item) for item in each)) if each else set()
    return [{"name": name, "subnet": each[0][name]} for name in sorted(common)]


def first(props: Mapping[str, Any]) -> dict[str, Any]:
    """The pool that is made with the cluster, as a part of that request."""
    return _request(props, props["workerPools"][0], {MARK: props["owner"]})


def impossible(olds: Mapping[str, Any], news: Mapping[str, Any]) -> str:
    """What cannot be done to pools that are there; empty where all of it can."""
    before = {pool["name"]: pool for pool in olds.get("workerPools") or ()}
    for pool in news["workerPools"]:
        old = before.get(pool["name"])
        if old is not None and old["flavor"] != pool["flavor"]:
            return (
                f"the worker pool {pool['name']} has nodes of {old['flavor']}, and cannot get others; add a pool with "
                f"another name for {pool['flavor']}, apply, and then take this one out"
            )
    subnets = {zone["name"]: zone["subnet"] for zone in olds.get("zones") or ()}
    for zone in news["zones"]:
        if subnets.get(zone["name"], zone["subnet"]) != zone["subnet"]:
            return (
                f"the nodes of zone {zone['name']} are in a subnet that they cannot leave; take the zone out, apply, "
                "and add it with the other subnet"
            )
    return ""


def reconcile(api: Ibm, cluster: str, props: Mapping[str, Any]) -> None:
    """Make the pools that are missing, and change those that differ; nothing is taken away."""
    there = found(api, cluster)
    for number, pool in enumerate(props["workerPools"]):
        labels = {**pool["labels"], **({MARK: props["owner"]} if number == 0 else {})}
        if pool["name"] not in there:
            api.post("/v2/vpc/createWorkerPool", {"cluster": cluster, **_request(props, pool, labels)}, once=True)
            continue
        _change(api, cluster, props, pool, there[pool["name"]], labels)


def take_away(api: Ibm, cluster: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
    """Delete pools and zones that were asked for before and are not now."""
    wanted = {pool["name"] for pool in news["workerPools"]}
    for pool in olds.get("workerPools") or ():
        if pool["name"] not in wanted:
            api.delete(_path(cluster, pool["name"]))
    zones = {zone["name"] for zone in news["zones"]}
    for zone in olds.get("zones") or ():
        if zone["name"] not in zones:
            for name in sorted(wanted):
                api.delete(f"{_path(cluster, name)}/zones/{quote(zone['name'], safe='')}")


def missing(props: Mapping[str, Any], there: Mapping[str, Mapping[str, Any]], workers: Iterable[Any]) -> str:
    """What is not ready yet, in words; empty where all nodes are."""
    normal: dict[str, int] = {}
    for worker in workers:
        if (worker.get("health") or {}).get("state") == "normal":
            normal[worker["poolName"]] = normal.get(worker["poolName"], 0) + 1
    for pool in props["workerPools"]:
        name = pool["name"]
        wanted = int(pool["workers"]) * len(props["zones"])
        if (there.get(name) or {}).get("autoscaleEnabled"):
            wanted = 1
        if normal.get(name, 0) < wanted:
            return f"{normal.get(name, 0)} of {wanted} nodes of the worker pool {name} are there"
    return ""


def _change(
    api: Ibm,
    cluster: str,
    props: Mapping[str, Any],
    pool: Pool,
    there: Mapping[str, Any],
    labels: Mapping[str, str],
) -> None:
    name = pool["name"]
    if there["flavor"] != pool["flavor"]:
        raise IbmError(impossible({"workerPools": [{**pool, "flavor": there["flavor"]}]}, props))
    known = {zone["id"] for zone in there["zones"]}
    for zone in props["zones"]:
        if zone["name"] not in known:
            place = {"cluster": cluster, "id": zone["name"], "subnetID": zone["subnet"], "workerPoolID": name}
            api.post("/v2/vpc/createWorkerPoolZone", place, once=True)
    if not there.get("autoscaleEnabled") and int(there["workerCount"]) != int(pool["workers"]):
        size = {"cluster": cluster, "workerpool": name, "size": int(pool["workers"])}
        api.post("/v2/resizeWorkerPool", size)
    # Labels of IBM's own are on every pool, and stay.
    current = there.get("labels") or {}
    if any(current.get(key) != value for key, value in labels.items()):
        merged = {key: value for key, value in current.items() if "ibm-cloud.kubernetes.io/" not in key}
        body = {"cluster": cluster, "workerpool": name, "labels": {**merged, **labels}}
        api.post("/v2/setWorkerPoolLabels", body)


def _request(props: Mapping[str, Any], pool: Pool, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": pool["name"],
        "flavor": pool["flavor"],
        "vpcID": props["vpc"],
        "workerCount": int(pool["workers"]),
        "labels": {**pool["labels"], **labels},
        "zones": [{"id": zone["name"], "subnetID": zone["subnet"]} for zone in props["zones"]],
        "entitlement": "",
    }


def _path(cluster: str, pool: str) -> str:
    return f"/v1/clusters/{quote(cluster, safe='')}/workerpools/{quote(pool, safe='')}"
