"""Kubernetes objects as Pulumi resources, whoever made them: our own builders or a rendered chart."""

from mesh_components.kubernetes.objects import (
    GOES_AT_ONCE,
    KubernetesObject,
    PatchObject,
    Plain,
    Typed,
    encode,
    tls_secret,
)

__all__ = ["GOES_AT_ONCE", "KubernetesObject", "PatchObject", "Plain", "Typed", "encode", "tls_secret"]
