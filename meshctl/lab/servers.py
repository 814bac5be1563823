"""How each process of the lab is started: names and command lines, nothing else.

Everything listens on 127.0.0.1. The flags are those of a plain cluster, except where a comment gives the reason.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from meshctl.lab.state import Cluster, State

ETCD, STANDIN = "etcd", "stand-in"
APISERVER, CONTROLLERS = "kube-apiserver", "kube-controller-manager"
PROGRAMS = (ETCD, APISERVER, CONTROLLERS)


@dataclass(frozen=True)
class Layout:
    """Where things lie in the lab's folder."""

    root: Path

    def cluster(self, name: str) -> Path:
        """Certificates, tokens and kubeconfig of one cluster."""
        return self.root / "clusters" / name

    def kubeconfig(self, name: str) -> Path:
        """The administrator's kubeconfig: self-contained, mode 0600."""
        return self.cluster(name) / "kubeconfig"

    def log(self, process: str) -> Path:
        """What a process prints."""
        return self.root / "logs" / f"{process.replace('/', '-')}.log"


def process_name(cluster: str, program: str) -> str:
    """The name under which a process of one cluster is remembered."""
    return f"{cluster}/{program}"


def etcd(programs: Mapping[str, Path], layout: Layout, state: State) -> list[str]:
    """One etcd for all clusters, each with a prefix of its own."""
    client, peer = (f"http://127.0.0.1:{port}" for port in state.etcd_ports)
    return [
        str(programs[ETCD]),
        f"--data-dir={layout.root / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        # Not waiting for the disk makes every write several times faster. A power cut may then lose data, and the
        # lab's data is made to be thrown away.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(programs: Mapping[str, Path], layout: Layout, state: State, cluster: Cluster) -> list[str]:
    """The API server of one cluster, with the admission plugins that are on by default."""
    folder = layout.cluster(cluster.name)
    return [
        str(programs[APISERVER]),
        f"--etcd-servers=http://127.0.0.1:{state.etcd_ports[0]}",
        f"--etcd-prefix=/{cluster.name}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={cluster.port}",
        f"--cert-dir={folder}",
        f"--tls-cert-file={folder / 'server.crt'}",
        f"--tls-private-key-file={folder / 'server.key'}",
        f"--client-ca-file={folder / 'ca.crt'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--anonymous-auth=false",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={folder / 'accounts.key'}",
        f"--service-account-signing-key-file={folder / 'accounts.key'}",
        f"--service-cluster-ip-range={cluster.service_range}",
        # Otherwise it would try, once per 10 s and in vain, to put its own loopback address into an EndpointSlice.
        "--endpoint-reconciler-type=none",
        # With the cache, the first read of each kind waits for its cache to fill, up to a second for each of Istio's.
        # The lab is small, and its etcd answers at once.
        "--watch-cache=false",
        "--allow-privileged",
        "--profiling=false",
    ]


def controllers(programs: Mapping[str, Path], layout: Layout, cluster: Cluster) -> list[str]:
    """The controllers of one cluster, without those of nodes and clouds: the stand-in plays these."""
    folder = layout.cluster(cluster.name)
    return [
        str(programs[CONTROLLERS]),
        f"--kubeconfig={layout.kubeconfig(cluster.name)}",
        f"--root-ca-file={folder / 'ca.crt'}",
        f"--cluster-signing-cert-file={folder / 'ca.crt'}",
        f"--cluster-signing-key-file={folder / 'ca.key'}",
        f"--service-account-private-key-file={folder / 'accounts.key'}",
        "--use-service-account-credentials=false",
        "--controllers=*,-nodeipam,-nodelifecycle,-cloud-node-lifecycle,-service-lb-controller",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        "--secure-port=0",
        # The usual limit of 20 requests per second is what deleting a namespace would mostly wait for.
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--profiling=false",
    ]


def standin(layout: Layout, state: State) -> list[str]:
    """One stand-in for the nodes and clouds of all clusters: a new cluster changes its command, so it is restarted."""
    clusters = [f"{cluster.name}={cluster.index}" for cluster in state.clusters.values()]
    return [sys.executable, "-m", "meshctl.lab.standin", str(layout.root), *clusters]
