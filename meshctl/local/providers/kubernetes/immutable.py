"""Which changes need another object. The API server has the last word; this is for where it cannot be asked."""

from __future__ import annotations

from collections.abc import Iterable

from .compare import Path

# As in pulumi-kubernetes, provider/pkg/clients/... `forceNewProperties`.
_WORKLOAD = {"Deployment": ("spec.selector",), "DaemonSet": ("spec.selector",)}
_FORCE_NEW: dict[str, tuple[str, ...]] = {
    **_WORKLOAD,
    "StatefulSet": (
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "Service": ("spec.clusterIP",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "Secret": ("type",),
    "Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "PersistentVolumeClaim": (
        "spec.accessModes",
        "spec.resources.limits",
        "spec.selector",
        "spec.storageClassName",
        "spec.volumeName",
    ),
    "StorageClass": ("mountOptions", "parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"),
    "CSIDriver": ("spec",),
}
_VALUES = {"Secret": ("data", "stringData"), "ConfigMap": ("data", "binaryData")}


def force_new(kind: str, changed: Iterable[Path], *, mutable: bool, frozen: bool = False) -> bool:
    """Whether one of the changed fields can only be set at creation.

    A Secret's or ConfigMap's values count among them unless the provider says `enableSecretMutable`
    (`enableConfigMapMutable`): Pulumi's rule, so that what reads them at start is restarted. `frozen` is the object's
    own `immutable: true`.
    """
    fields = _FORCE_NEW.get(kind, ())
    if not mutable or frozen:
        fields += _VALUES.get(kind, ())
    prefixes = [tuple(field.split(".")) for field in fields]
    return any(_touches(path, prefix) for path in changed for prefix in prefixes)


def _touches(path: Path, prefix: tuple[str, ...]) -> bool:
    length = min(len(path), len(prefix))
    return path[:length] == prefix[:length]
