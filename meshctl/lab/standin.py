"""The stand-in: a process that plays the node, its kubelet, the cloud's load balancers, and istiod where it gives
addresses to Gateways, for all clusters of a lab.

    python -m meshctl.lab.standin <folder of the lab> <cluster>=<number>...

For each cluster one thread each watches pods, Services and Gateways; what they answer is decided in `pretend.py`. A
cluster that is away is asked again until it is back, and no other cluster waits for it.
"""

import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from meshctl.lab import pretend
from meshctl.lab.api import MERGE, Api, ApiError, Object, Unreachable
from meshctl.lab.pretend import Change
from meshctl.lab.servers import Layout
from meshctl.lab.state import Cluster

RETRY_SECONDS = 0.25
_log = logging.getLogger("stand-in")


class Watcher:
    """Keeps one kind of object of one cluster as `rule` wants it."""

    def __init__(
        self,
        api: Api,
        path: str,
        rule: Callable[[Object, str], Change | None],
        addresses: Callable[[Object], set[str]],
        prefix: str,
    ) -> None:
        self._api, self._path, self._rule, self._addresses, self._prefix = api, path, rule, addresses, prefix
        self._held: dict[str, set[str]] = {}
        """Addresses by the uid of their holder."""

    def run(self) -> None:
        """Watch, and watch again; never returns."""
        while True:
            try:
                self._once()
            except (ApiError, *Unreachable) as error:
                _log.info("%s: %s; asking again", self._path, error)
                time.sleep(RETRY_SECONDS)

    def _once(self) -> None:
        listed = self._api.list(self._path)
        self._held = {item["metadata"]["uid"]: self._addresses(item) for item in listed.items}
        for item in listed.items:
            self._mend(item)
        for kind, item in self._api.watch(self._path, listed.version):
            if kind == "DELETED":
                self._held.pop(item["metadata"]["uid"], None)
            else:
                self._mend(item)

    def _mend(self, item: Object) -> None:
        change = self._rule(item, self._address(item))
        if change is None:
            return
        try:
            answer = self._api.request(change.method, change.path, change.body, change.content)
        except ApiError as error:
            if error.status >= 500:
                raise
            if error.status not in (404, 409):  # gone, or changed since: the next event tells
                _log.warning("left alone: %s", error)
        else:
            if change.method == "PATCH":
                self._hold(json.loads(answer))

    def _address(self, item: Object) -> str:
        """The address that the object has, or would get."""
        held = self._hold(item)
        return min(held) if held else pretend.first_free(self._prefix, set().union(*self._held.values()))

    def _hold(self, item: Object) -> set[str]:
        """Note the addresses of an object. An event may be older than the last answer, so none is forgotten here."""
        held = self._held.setdefault(item["metadata"]["uid"], set())
        held |= self._addresses(item)
        return held


def main(arguments: list[str]) -> None:
    """Start the threads of all clusters and wait for ever."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    layout = Layout(Path(arguments[0]))
    for argument in arguments[1:]:
        name, _, index = argument.partition("=")
        _serve(Api(layout.kubeconfig(name)), Cluster(name, int(index), port=0))
    threading.Event().wait()


def _serve(api: Api, cluster: Cluster) -> None:
    pods = Watcher(api, "/api/v1/pods", pretend.pod_change, pretend.pod_addresses, cluster.pods)
    services = Watcher(
        api, "/api/v1/services", pretend.service_change, pretend.service_addresses, cluster.load_balancers
    )
    gateways = Watcher(
        api, f"{pretend.GATEWAY_API}/gateways", pretend.gateway_change, pretend.gateway_addresses, cluster.gateways
    )
    for work in (pods.run, services.run, gateways.run, lambda: _keep_node(api, cluster)):
        threading.Thread(target=work, daemon=True).start()


def _keep_node(api: Api, cluster: Cluster) -> None:
    """Put the node there, and put it back should somebody delete it."""
    path, body = f"/api/v1/nodes/{pretend.NODE}", pretend.node(cluster)
    while True:
        try:
            _put_node(api, path, body)
        except (ApiError, *Unreachable) as error:
            _log.info("%s: %s; asking again", path, error)
            time.sleep(RETRY_SECONDS)
        else:
            time.sleep(10)


def _put_node(api: Api, path: str, body: Object) -> None:
    try:
        api.get(path)
    except ApiError as error:
        if error.status != 404:
            raise
        api.request("POST", "/api/v1/nodes", body)
    api.request("PATCH", path, {"spec": {"taints": None}}, MERGE)
    api.request("PATCH", f"{path}/status", {"status": body["status"]}, MERGE)


if __name__ == "__main__":
    main(sys.argv[1:])
