"""Why each step is there and what going back does. Facts: https://istio.io/latest/docs/setup/upgrade/canary/."""

from __future__ import annotations

from mesh_components.topology import names
from mesh_components.topology.steps import EACH
from mesh_components.topology.versions import parse, release

BASE = (
    "Newer CRDs serve an older istiod, an older CRD does not know a newer istiod's fields: so they go first. Every "
    "control plane is pinned to the version it has."
)
BASE_EXTERNAL = (
    " So is the Istio that runs the gateway in front of the external istiod: it follows the default revision, not the "
    "CRDs."
)
BASE_BACK = "Nothing restarts. The old CRDs come back; nobody uses fields yet that only the new ones know."
CANARY = (
    "A second istiod beside the old one, in one cluster. It reads the mesh as the old one does and injects nobody: no "
    "namespace, tag or gateway names it yet. Move a namespace of your own to it for a first test, if you like."
)
CONTROL_PLANE = "The canary runs well, so this cluster gets its second istiod; still nobody is injected by it."
EXPOSED = (
    " This cluster serves remotes, so the routes to istiod in its EastWestGateway change too: each revision has one, "
    "istiod-vs or istiod-vs-<revision>, by its istiod's own names. The gateway's pods stay, and so does the way to the "
    "old istiod."
)
CONTROL_PLANE_BACK = "The new control plane goes; nothing was connected to it."
REMOTE = (
    "The control plane that serves this cluster has the revision by now. Here come its injection webhook and the name "
    "under which proxies find it."
)
GATEWAY = (
    "The label of its pods names the revision that injects them, so a change of it rolls them. Both control planes "
    "know all of the mesh's endpoints, so it does not matter who serves the proxies on either side."
)
GATEWAY_BACK = "The gateway's pods roll back to the old control plane; nothing else restarts."
APPLICATION = (
    "The label of its namespace names the new control plane, in every cluster. Its running pods keep their proxy until "
    "they are restarted, and both control planes know all of the mesh: so old and new pods answer side by side."
)
APPLICATION_BACK = "The label names the old control plane again; what has been restarted since is restarted once more."
TAGS = (
    "Namespaces that carry the tag follow it; their running pods do not, until they are restarted. One cluster at a "
    "time, so that the others answer if this one does not."
)
TAGS_LATER = (
    " This cluster's webhook goes by a host name, which leads to one istiod: its pods stay with the default revision "
    "until that changes (MESH424), and are restarted then."
)
TAGS_FOLD = "Every cluster says otherwise, so only the document changes: the old revision is not named any more."
TAGS_BACK = "The tag points at the old control plane again; what has been restarted since is restarted once more."
SAME = "The preview says that nothing changes."
DEFAULT = (
    "The validator of Istio's objects, and istiod's duties towards what names no revision, go over to the new control "
    "plane. Gateways need not name it any longer."
)
DEFAULT_NODE = (
    " The CNI plugin and ztunnel follow istiod, node by node. ztunnel's restart ends the long-lived connections of its "
    "node's pods."
)
DEFAULT_LATE = (
    " Remotes behind a host name are injected by the default revision whatever they name (MESH424), so their workloads "
    "and gateways move here, all at once."
)
DEFAULT_LATE_BACK = (
    "The validator goes back, node agents roll once more, and the remotes behind a host name are injected by the old "
    "control plane again: what has been restarted there is restarted once more."
)
DEFAULT_BACK = "The validator goes back; nothing restarts."
DEFAULT_NODE_BACK = "The validator goes back, and the node agents roll once more; no workload needs a restart."
REMOVE = (
    "Nobody is connected to it any longer. Its Deployment, its autoscaler, its webhooks and its rights go, and the "
    "document says the new version and nothing else."
)
REMOVE_UNNAMED = (
    " The tag `default` takes its place in the same update, so a namespace with istio-injection=enabled has an "
    "injector before and after. It does not come earlier: beside the revision without a name it would match the same "
    "pods a second time. From here on namespaces may carry istio-injection=enabled again, and follow the tag in the "
    "next upgrade without a new label."
)
REMOVE_BACK = (
    "The old control plane comes back, empty: no workload returns to it until its namespace's tag or label does, and "
    "`mesh restart` after that."
)
RESTART_BACK = (
    "Put the labels back that you changed, then restart: what was moved by label returns. What was moved by a tag "
    "returns with the document before that tag's step."
)
IN_PLACE = (
    "An external control plane has one revision at a time, so there is no canary: this one istiod is replaced, by a "
    "rolling update that its replicas make invisible if there are two or more. Running proxies keep the configuration "
    "they have. Every cluster that it serves moves at once, and so does the Istio that runs the gateway in front of "
    "istiod; the gateway's own pods follow with the restart."
)
IN_PLACE_BACK = (
    "The old istiod comes back by another rolling update. A proxy that was restarted in between is newer than it, "
    "which Istio does not support: `mesh restart` brings the old one back."
)
IN_PLACE_RESTART = (
    "Sidecars and gateways keep the old version's proxy until they are restarted. It may be one minor older than "
    "istiod, and no more."
)
IN_PLACE_RESTART_BACK = "Go back to the document before istiod's step; the restart there brings the old proxies."


def kubernetes(version: str) -> tuple[str, ...]:
    """What the clusters must run, where it is known."""
    numbers = parse(version)
    known = release(numbers) if numbers else None
    return (
        (f"every cluster runs Kubernetes {' to '.join(known.kubernetes)}, as Istio {known.name} wants",)
        if known
        else ()
    )


def restart(*, unnamed: bool, tags: bool) -> str:
    """Why namespaces get new labels."""
    moved = "What follows a tag has moved" if tags else "Nobody has moved yet"
    label = (
        "istio-injection=enabled means the revision without a name as long as there is one, so such namespaces get the "
        "new revision's label instead, in one command: at no time have they none or two. "
        if unnamed
        else ""
    )
    return (
        f"{moved}; what names an old revision itself has to be labelled anew. {label}"
        "Label a few namespaces, restart, look, and go on with the next. Pods that name the old revision themselves, "
        "or that ask for injection by sidecar.istio.io/inject in a namespace without a label, need the new revision in "
        "their template. Nothing is restarted that has the new proxy already."
    )


def relabel(old: str, new: str) -> tuple[str, ...]:
    """The commands that move all namespaces of a revision. Both labels change at once, so none is without injector."""
    label, move = names.REVISION_LABEL, "kubectl label namespace -l"
    if old:
        return (EACH.format(f"{move} {label}={old} --overwrite {label}={new}"),)
    return (
        EACH.format(f"{move} istio-injection=enabled --overwrite istio-injection- {label}={new}"),
        EACH.format(f"{move} {label}=default --overwrite {label}={new}"),
    )
