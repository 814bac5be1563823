"""The webhook that validates Istio's resources of all revisions and of none, `istiod-default-validator`.

It refuses what it cannot ask about (`failurePolicy: Fail`), so it must come after the istiod that answers it, which is
that of the default revision, and goes before it (`depends_on`): else no Istio resource of the cluster can be written.
Does not own the rest of the chart `base` (`IstioBase`), which must exist before it too.
"""

from __future__ import annotations

import pulumi

from mesh_components.component import MaybeOutput
from mesh_components.control_plane import charts, values
from mesh_components.control_plane.args import ChartArgs
from mesh_components.control_plane.placeholders import known_later
from mesh_components.control_plane.register import register, when_made
from mesh_components.settings.location import AddressType
from mesh_components.topology import names

VALIDATION = frozenset(
    {"ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
)
"""What the chart `base` renders for a default revision; the policy only where its values ask for one."""


class DefaultValidatorArgs(ChartArgs):
    """Who validates."""

    root_cert_pem: MaybeOutput[str]
    """The root bundle, byte for byte as in `cacerts`: the webhook trusts it."""
    revision: str = ""
    """The default revision, whose istiod validates; empty for the one without a name."""
    address: MaybeOutput[str] | None = None
    """Of a config cluster: where the istiod outside of it is reached."""
    address_type: AddressType = "ip"
    public_certificate: bool = False
    """API servers trust the certificate at that address by themselves, and our root did not sign it."""


class DefaultValidator(pulumi.ComponentResource):
    """One per primary or config cluster; hand it the cluster's provider through `opts.providers`. A remote has none:
    nobody reads Istio's resources there."""

    ready: pulumi.Output[str]
    """Name of the istiod that validates, once the webhook is there."""

    def __init__(self, name: str, args: DefaultValidatorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mesh:index:DefaultValidator", name, {"revision": args.revision}, opts)
        renderer = args.renderer or charts.renderer(f"{name}-charts", self)
        by_url = args.address is not None
        wanted = values.validator(args.revision, args.namespace, by_url=by_url, trusted=args.public_certificate)
        rendered = [item for item in charts.base(args, wanted, renderer) if item["kind"] in VALIDATION]
        known = known_later(args.root_cert_pem, args.address, args.address_type, name)
        made = register(self, name, rendered, known, opts)
        self.ready = when_made(names.istiod(args.revision), made)
        self.register_outputs({"ready": self.ready})
