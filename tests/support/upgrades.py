"""What a step of an upgrade may touch, on the lab as in a whole program."""

from __future__ import annotations

from collections.abc import Mapping

BUILDS: Mapping[str, frozenset[str]] = {
    "base": frozenset({"IstioBase", "DefaultValidator"}),
    "control-plane": frozenset({"Istiod", "RemoteIstiod", "EastWestGateway"}),
    "gateway": frozenset({"EastWestGateway", "AmbientGateway"}),
    "tags": frozenset({"RevisionTag"}),
    "default": frozenset({"DefaultValidator", "EastWestGateway", "Cni", "Ztunnel"}),
    "remove": frozenset({"Istiod", "RemoteIstiod", "EastWestGateway", "RevisionTag"}),
    "in-place": frozenset({"IstioBase", "DefaultValidator", "Istiod", "ExternalIstiod", "RemoteIstiod"}),
}
"""The components in which a kind of step may change something, and no other may. A gateway is among those of a control
plane where it leads remotes to istiod: a revision that comes or goes has a route of its own there."""
