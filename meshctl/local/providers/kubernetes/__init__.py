"""Kubernetes objects by server-side apply: the `kubernetes` package of the local engine.

It imitates Pulumi's Kubernetes provider (inputs, names, annotations, what is waited for, what replaces) and differs
from it on purpose in two points. It compares with the live object at every plan, not only on refresh. And it creates by
server-side apply, too, under one stable manager, so that a run that was killed is recognised and taken up again.
"""

from .provider import KubernetesProvider

__all__ = ["KubernetesProvider"]
