"""What the lab remembers in `lab.json`: its clusters, their ports, and the processes it started."""

import json
import random
import re
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from meshctl.lab import LabError
from meshctl.lab.files import write_private
from meshctl.lab.process import Running

FILE = "lab.json"
PORTS = range(20000, 30000)
"""Below the range (from 32768 on Linux) from which the kernel takes ports for outgoing connections."""
MAX_CLUSTERS = 99
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Cluster:
    """One API server and what follows from its number: addresses that no other cluster of the lab uses."""

    name: str
    index: int
    """From 1 on."""
    port: int

    @property
    def server(self) -> str:
        """Address of the API server."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def service_range(self) -> str:
        """ClusterIPs are loopback: what the API server dials (webhooks) stays on this machine."""
        return f"127.{100 + self.index}.0.0/16"

    @property
    def load_balancers(self) -> str:
        """Prefix of load balancer addresses: loopback too, so a probe of a gateway stays on this machine."""
        return f"127.200.{self.index}."

    @property
    def gateways(self) -> str:
        """Prefix of the addresses of Gateways, which are load balancers too."""
        return f"127.201.{self.index}."

    @property
    def pods(self) -> str:
        """Prefix of pod addresses. EndpointSlices refuse loopback, so from the ranges for documentation (RFC 5737)."""
        return ("192.0.2.", "198.51.100.", "203.0.113.")[(self.index - 1) % 3]


@dataclass
class State:
    """The content of `lab.json`."""

    etcd_ports: tuple[int, int]
    """For clients, and for the peers that it does not have."""
    clusters: dict[str, Cluster] = field(default_factory=dict)
    processes: dict[str, Running] = field(default_factory=dict)

    def add(self, names: Iterable[str]) -> None:
        """Make room for clusters that are new; those that are there keep their number and port."""
        for name in names:
            if name in self.clusters:
                continue
            if not _NAME.fullmatch(name):
                raise LabError(
                    f"cluster {name!r}: not a name that Istio takes; use lower case letters, digits and dashes, "
                    "63 at most."
                )
            index = len(self.clusters) + 1
            if index > MAX_CLUSTERS:
                raise LabError(
                    f"cluster {name!r}: the lab has addresses for {MAX_CLUSTERS} clusters, and all are taken."
                )
            self.clusters[name] = Cluster(name, index, free_port(self.ports()))

    def ports(self) -> set[int]:
        """All ports that are promised to somebody."""
        return {*self.etcd_ports, *(cluster.port for cluster in self.clusters.values())}

    def save(self, directory: Path) -> None:
        """Write it down; called after every change, so that an interruption forgets nothing."""
        write_private(directory / FILE, json.dumps(asdict(self), indent=2) + "\n")


def new_state() -> State:
    """A lab without clusters, on ports that are free now."""
    first = free_port(set())
    return State((first, free_port({first})))


def load(directory: Path) -> State | None:
    """The lab in this folder, or None where there is none."""
    path = directory / FILE
    try:
        data = json.loads(path.read_text())
        return State(
            etcd_ports=(data["etcd_ports"][0], data["etcd_ports"][1]),
            clusters={name: Cluster(**value) for name, value in data["clusters"].items()},
            processes={
                name: Running(value["pid"], value["started"], tuple(value["command"]))
                for name, value in data["processes"].items()
            },
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise LabError(
            f"{path}: not a file that the lab has written ({error!r}). If this folder is an old lab, stop its "
            "processes (their command lines hold the folder's path) and remove the folder by hand."
        ) from error


def free_port(taken: set[int]) -> int:
    """A port on loopback that nobody listens on. Drawn at random, so that two labs that start together rarely meet."""
    for port in random.sample(PORTS, len(PORTS)):
        if port not in taken and _free(port):
            return port
    raise LabError(
        f"ports {PORTS.start} to {PORTS.stop - 1}: all are in use on 127.0.0.1; end some programs and try again."
    )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
