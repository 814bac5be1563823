"""Charts render plain values only. What is known after apply is rendered as a placeholder and put in afterwards, so
that the first preview shows every object and no secret passes through chart values."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from mesh_components.component import MaybeOutput
from mesh_components.control_plane.args import TrustedMesh
from mesh_components.kubernetes import Plain, encode
from mesh_components.settings.location import AddressType
from mesh_components.topology import names

CA_BUNDLE = base64.b64encode(b"mesh-components: the root bundle goes here").decode()
"""Stands for base64 of the root bundle. Is base64 itself: the chart puts it where an API server would decode it."""

ADDRESS: Mapping[AddressType, str] = {"ip": "192.0.2.251", "hostname": "placeholder.invalid"}
"""Stand for the address at which istiod is reached. The charts tell an IP from a host name by its looks; neither can be
anyone's (RFC 5737, RFC 6761)."""

URL_HOST = "address-in-a-url.invalid"
"""Stands for the same before a port, where an IPv6 address has brackets."""


def other_roots(mesh: str) -> str:
    """Stands for the roots of another mesh, PEM."""
    return f"roots-of-another-mesh.{mesh}.invalid"


def known_roots(trusted: Iterable[TrustedMesh]) -> dict[str, pulumi.Output[str]]:
    """What replaces them: a text of several lines, so as JSON has it, which is YAML too. Charts print the
    mesh config as YAML, and all values once more as JSON, where the placeholder stands in quotes already."""
    known: dict[str, pulumi.Output[str]] = {}
    for mesh in trusted:
        placeholder, text = other_roots(mesh.name), pulumi.Output.from_input(mesh.roots_pem).apply(json.dumps)
        known |= {f'"{placeholder}"': text, placeholder: text}
    return known


def known_later(
    root_cert_pem: MaybeOutput[str],
    address: MaybeOutput[str] | None = None,
    address_type: AddressType = "ip",
    whose: str = "",
) -> dict[str, pulumi.Output[str]]:
    """What replaces the placeholders. `whose` names, for the error, the component that was told the address."""
    known = {CA_BUNDLE: encode(root_cert_pem)}
    if address is not None:
        checked = pulumi.Output.from_input(address).apply(lambda value: _checked(value, address_type, whose))
        known |= {ADDRESS[address_type]: checked, URL_HOST: checked.apply(in_url)}
    return known


def in_url(address: str) -> str:
    """The address as it stands before a port."""
    return f"[{address}]" if ":" in address else address


def spliced(manifest: Plain, known: Mapping[str, pulumi.Output[str]]) -> Plain:
    """The object with its placeholders replaced. An EndpointSlice also says what kind of address it holds."""
    made: dict[str, Any] = splice(manifest, known)
    if made["kind"] == "EndpointSlice" and ADDRESS["ip"] in known:
        made["addressType"] = known[ADDRESS["ip"]].apply(lambda address: "IPv6" if ":" in address else "IPv4")
    return made


def splice(value: Any, known: Mapping[str, pulumi.Output[str]]) -> Any:
    """A copy of `value` in which every placeholder, also inside of a longer text, is replaced by its output."""
    if isinstance(value, Mapping):
        return {key: splice(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [splice(item, known) for item in value]
    if isinstance(value, str):
        return _text(value, known)
    return value


def _text(text: str, known: Mapping[str, pulumi.Output[str]]) -> str | pulumi.Output[str]:
    if text in known:
        return known[text]
    inside = {placeholder: output for placeholder, output in known.items() if placeholder in text}
    if not inside:
        return text
    return pulumi.Output.all(**inside).apply(lambda found: _replaced(text, found))


def _replaced(text: str, found: Mapping[str, str]) -> str:
    for placeholder, value in found.items():
        text = text.replace(placeholder, value)
    return text


def _checked(address: str, expected: AddressType, whose: str) -> str:
    """A cluster refuses a host name where it expects an IP, in words that lead nowhere; here it is said what to do."""
    if not address:
        raise pulumi.RunError(
            f"{whose}: the gateway in front of istiod has no address, so nothing reaches istiod through it; "
            "give the gateway a Service of type LoadBalancer, or say its address beforehand"
        )
    found: AddressType = "ip" if names.is_ip(address) else "hostname"
    if found != expected:
        raise pulumi.RunError(
            f'{whose}: the gateway in front of istiod has the address "{address}", and an address of type {expected} '
            f"was expected; set eastWest.addressType of the cluster with that gateway to {found}"
        )
    return address
