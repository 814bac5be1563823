"""Patience with istiod's validating webhook.

A Deployment that is available does not mean that its webhook answers: the first Istio resource after an install would
be refused with «failed calling webhook validation.istio.io». The end-to-end tests of sail-operator wait in the same way
(https://github.com/istio-ecosystem/sail-operator, tests/e2e/multicluster).
"""

from __future__ import annotations

import time

import pulumi

UNSERVED = "failed calling webhook"
PAUSE = 2.0
"""Seconds between two tries."""
TRIES = 60


def retry_while_unserved(name: str) -> pulumi.ResourceOptions:
    """Options of an Istio resource: try again while nobody serves the webhook, and only then."""
    hook = pulumi.ErrorHook(f"{name}-webhook", _once_more)
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(on_error=[hook]))


def _once_more(args: pulumi.ErrorHookArgs) -> bool:
    unserved = bool(args.errors) and UNSERVED in args.errors[0]
    if not unserved or len(args.errors) > TRIES:
        return False
    time.sleep(PAUSE)
    return True
