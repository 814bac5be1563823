"""Why each step of a rotation is there, what to wait for, and what going back does.

Facts: istiod's reaction to a changed `cacerts` (istio/istio pilot/pkg/bootstrap/istio_ca.go), the bundle that proxies
get (pilot/pkg/xds/pcds.go), and https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mesh_components.topology import names
from mesh_components.topology.rotation import Phase, Position

LEAF = "24 hours"
"""Longest life of a workload's certificate unless someone chose another (`DEFAULT_WORKLOAD_CERT_TTL` of istiod)."""


@dataclass(frozen=True)
class Words:
    """One phase."""

    title: str
    does: str
    """What it does, for a preview and a plan."""
    why: str
    """What else a plan says of it."""
    watch: tuple[str, ...]
    """What must be so before the next one."""
    back: str


_MINUTE = "istiod reads the Secret when the kubelet has brought it to the pod, which takes up to a minute"

PHASES: Mapping[Phase, Words] = {
    "add": Words(
        "everybody trusts root {new} too",
        "every cluster trusts both roots, and root {old} signs",
        "Root {new} is made, and goes into every `cacerts` and into the CA bundles of all webhooks, beside root {old}. "
        f"No signing certificate changes, so it does not matter who is first. {_MINUTE}; proxies get the bundle from "
        "istiod, without a restart.",
        (
            f"in each cluster: ConfigMap {names.ROOT_CERT} of every namespace holds two certificates",
            "`istioctl proxy-config rootca-compare <pod> <other pod>` agrees, for some workloads and for the gateways "
            "of each cluster",
        ),
        "Everybody trusts root {old} alone again, and root {new} is deleted: nothing was signed with it.",
    ),
    "switch": Words(
        "root {new} signs",
        "every cluster trusts both roots, and root {new} signs",
        f"Every istiod gets a new signing certificate. {_MINUTE}. Workloads keep the certificate that they have until "
        "it is renewed, and that is trusted as well.",
        (
            "in each cluster: istiod logs that it `has detected the newly added intermediate CA`",
            f"{LEAF} have passed since the last cluster was updated, or as long as your longest workload certificate "
            "lives; whoever cannot wait restarts the workloads",
            "in each cluster: `istioctl proxy-config secret <pod>` shows certificates that begin after this step",
        ),
        "Root {old} signs again, with new signing certificates; what was signed by root {new} is trusted still.",
    ),
    "retire": Words(
        "nobody trusts root {old} any more",
        "every cluster trusts root {new} alone, and root {new} signs; root {old} is still there, and may be deleted",
        "From here on a certificate under root {old} is refused. Its key is kept, so that there is a way back.",
        (
            f"in each cluster: ConfigMap {names.ROOT_CERT} of every namespace holds one certificate",
            "no proxy logs CERTIFICATE_VERIFY_FAILED, and requests between clusters go through as before",
        ),
        "Root {old} is trusted again, beside root {new}.",
    ),
    "steady": Words(
        "root {old} goes",
        "root {new} is the only one",
        "The key and the certificate of root {old} are deleted from the state. No object in a cluster changes.",
        ("the preview deletes the key and the certificate of root {old}, and changes nothing in a cluster",),
        "There is none: root {old} is gone. What follows is another rotation.",
    ),
}
"""By the phase that is entered; `steady` is the end of the way."""

MULTI_ROOT_TITLE = "istiods and proxies take more than one root"
MULTI_ROOT = (
    f"istiod gets {names.MULTI_ROOT_ISTIOD}, without which it ignores a changed root, and proxies get "
    f"{names.MULTI_ROOT_PROXY}, without which they trust nothing but the root of their own certificate. It has to be "
    "so in the whole mesh before there is a second root. istiods roll; proxies learn it when they are restarted."
)
MULTI_ROOT_WATCH = (
    f"in each cluster: the Deployments of istiod have {names.MULTI_ROOT_ISTIOD}, and have rolled",
    "`mesh restart --dry-run` finds nothing to restart, and leaves nothing alone that has an old proxy",
)
MULTI_ROOT_ELSEWHERE = (
    f"istiod is somebody else's here (`istio.install: none`): set {names.MULTI_ROOT_ISTIOD}=true on it, and "
    f"meshConfig.defaultConfig.proxyMetadata.{names.MULTI_ROOT_PROXY}=true, where it is installed"
)
MULTI_ROOT_BACK = "istiods roll once more, and proxies that were restarted take a single root again."

SOURCE = (
    " `rotation.source` has been copied from `source`: put the names of the new root there, or take it out for a root "
    "that the program makes."
)

INTERMEDIATE = (
    "A new key and a new signing certificate under the same root. `cacerts` is updated in place, and istiod takes it "
    f"over without a restart: {_MINUTE}. Workloads keep their certificates until they renew them; those are valid as "
    "before."
)
INTERMEDIATE_WATCH = (
    "in {cluster}: istiod logs that it `has detected the newly added intermediate CA`",
    "in {cluster}: a workload that is restarted gets a certificate, and reaches the other clusters",
)
INTERMEDIATE_SERVER = (
    " The certificate of the gateway in front of istiod is made anew too; the gateway takes it over by itself."
)
INTERMEDIATE_BACK = (
    "Another new signing certificate under the same root is made, since the old one's key was deleted; nothing else."
)

TOKENS = (
    "Each cluster gets another token beside the old one, and the kubeconfigs of its readers are updated in place. Both "
    "tokens are valid, so it does not matter when an istiod looks."
)
TOKENS_LIVE = " istiod connects anew by itself."
TOKENS_RESTART = (
    " istiods of this version do not take a changed remote secret up well ({bugs}): they are restarted, one cluster "
    "after the other."
)
TOKENS_WATCH = ("`istioctl remote-clusters` of each reader shows every cluster as synced",)
TOKENS_BACK = "The remote secrets have the old tokens again, which are valid still; the new ones are withdrawn."
KIALI_TOKENS = (
    "Each cluster gets another token of Kiali's account beside the old one, and the Secrets beside Kiali are updated "
    "in place. Kiali reads them when it starts, so its Pod is replaced in the same run; both tokens are valid "
    "meanwhile."
)
KIALI_WATCH = ("Kiali's page of the mesh shows every cluster, and its log no `Unauthorized`",)
KIALI_BACK = "Kiali has the old tokens again, which are valid still; the new ones are withdrawn."
WITHDRAW = (
    "The Secrets of the old tokens are deleted, and the tokens with them. Nobody uses them any more. An API server may "
    "go on for some seconds to accept what it has just accepted."
)
WITHDRAW_WATCH = (
    "`istioctl remote-clusters` of each reader still shows every cluster as synced, also after an istiod was restarted",
)
WITHDRAW_BACK = "There is none: a token that was withdrawn is worth nothing. Replace it once more, if need be."


def explain(at: Position) -> str:
    """What a preview says of the phase: what it does, what to wait for, what is next."""
    words = PHASES[at.phase]
    numbers = {"old": at.serial, "new": at.serial + 1}
    wait = "; ".join(words.watch).format(**numbers)
    return f"trust, {at}: {words.does.format(**numbers)}. Before going on to {at.next}, see that: {wait}"
