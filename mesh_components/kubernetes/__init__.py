"""Kubernetes objects as Pulumi resources, whoever made them: our own builders or a rendered chart."""

from mesh_components.kubernetes.objects import KubernetesObject, PatchObject, Plain, Typed, encode, tls_secret

__all__ = ["KubernetesObject", "PatchObject", "Plain", "Typed", "encode", "tls_secret"]
