"""The lab: real Kubernetes API servers on this machine, as plain processes, without containers.

What is real: etcd, kube-apiserver and kube-controller-manager, so everything that an API server checks, stores,
authenticates and collects. What is a stand-in: the node, its kubelet and the cloud (`standin.py`), and Istio's CRDs and
reader account (`prepare.py`). No pod runs. All of it listens on loopback, and `mesh lab down` leaves nothing behind.

`lab.py` is the entrance for programs and tests, `commands.py` the one for people.
"""

from collections.abc import Callable
from typing import NamedTuple


class LabError(Exception):
    """What went wrong, where, why and how to mend it; meant for people, so shown without a traceback."""


class News(NamedTuple):
    """One step of something that takes a while: first `done=False` as often as it likes, at last `done=True`."""

    what: str
    text: str
    done: bool = True


Report = Callable[[News], None]


def silent(_news: News) -> None:
    """The report for those who do not want to hear."""
