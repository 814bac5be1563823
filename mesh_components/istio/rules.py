"""Rules of Istio's CRDs that a JSON schema cannot say: which fields go together, and what a text has to look like.

The API server reads them as CEL expressions. The generator maps every expression to one rule of this module by its
exact text, and stops at one that it does not know; so a new version of Istio cannot bring a rule that nobody has read.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import AfterValidator


@dataclass(frozen=True)
class Rule:
    """Something that the fields of one object have to satisfy together."""

    holds: Callable[[Any], bool]
    message: str


def value(holds: Callable[[Any], bool], message: str) -> AfterValidator:
    """Something that one value has to satisfy, whatever is beside it."""

    def check(given: Any) -> Any:
        if not holds(given):
            raise ValueError(message)
        return given

    return AfterValidator(check)


def _has(model: Any, *names: str) -> int:
    return sum(getattr(model, name) is not None for name in names)


def at_most_one(*names: str) -> Rule:
    """Alternatives: one of the fields, or none."""
    return Rule(lambda model: _has(model, *names) <= 1, f"at most one of {', '.join(names)} can be set")


def exactly_one(*names: str) -> Rule:
    """Alternatives, and one has to be chosen."""
    return Rule(lambda model: _has(model, *names) == 1, f"exactly one of {', '.join(names)} has to be set")


# Text.

_DURATION = re.compile(r"[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+", re.ASCII)
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_LONGEST_SECONDS = 2**63 / 1e9


def seconds(text: str) -> float | None:
    """Seconds of a duration as Go writes it (`1h30m`, `250ms`); None for any other text."""
    if text in ("0", "+0", "-0"):
        return 0
    if not _DURATION.fullmatch(text):
        return None
    total = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return -total if text.startswith("-") else total


def _at_least_a_millisecond(text: str) -> bool:
    length = seconds(text)
    return length is not None and 1e-3 <= length < _LONGEST_SECONDS


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _scheme(text: str) -> str | None:
    """The scheme of a URL as Go's ParseRequestURI reads it: absolute URLs and absolute paths, and None for the rest."""
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        return None
    if any(character.isspace() for character in text):
        return None
    if text.startswith("/"):
        return ""
    return scheme if scheme and text.partition(":")[2] else None


def _module_address(text: str) -> bool:
    scheme = _scheme(text)
    if scheme is None:
        return _scheme(f"http://{text}") == "http"
    return scheme in ("", "http", "https", "file", "oci")


def _socket(text: str) -> bool:
    return not text.startswith("unix://") or text[7:8] in ("/", "@")


def _no_folder(text: str) -> bool:
    return not (text.startswith("unix://") and text.endswith("/"))


at_least_1ms = value(_at_least_a_millisecond, "must be a duration of at least 1ms, such as 250ms, 1.5s or 1h30m")
base64_text = value(_is_base64, "must be base64")
empty = value(lambda text: not text, "must be empty: targets in other namespaces are not supported")
http_url = value(lambda text: _scheme(text) in ("http", "https"), "must be a URL that begins with http:// or https://")
module_address = value(_module_address, "must be a URL, of http, https, file or oci, or an image")
no_folder = value(_no_folder, "a Unix socket must not end in /")
no_wildcard = value(lambda text: "*" not in text, "must not contain *")
not_everything = value(lambda text: text != "*", "must not be *")
port = value(lambda number: 1 <= number <= 65535, "must be a port, 1 to 65535")
probe_scheme = value(lambda text: text in ("", "HTTP", "HTTPS"), "must be HTTP or HTTPS")
socket = value(_socket, "a Unix socket is unix:///an/absolute/path or unix://@abstract")

# Mappings and lists.

_PORT_NAME = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_PORT_NAME_END = 63


def _port_name(text: str) -> bool:
    return len(text) < _PORT_NAME_END and bool(_PORT_NAME.fullmatch(text))


def _port_key(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?\d+", text, re.ASCII)) and 1 <= int(text) <= 65535


def distinct(*names: str) -> AfterValidator:
    """Elements of a list that are told apart by some of their fields."""

    def holds(items: Sequence[Any]) -> bool:
        keys = [tuple(getattr(item, name) for name in names) for item in items]
        return len(set(keys)) == len(keys)

    return value(holds, f"elements must differ in {', '.join(names)}")


keys_named = value(lambda items: all(key for key in items), "keys must not be empty")
keys_without_wildcard = value(lambda items: all("*" not in key for key in items), "keys must not contain *")
port_names = value(lambda items: all(map(_port_name, items)), "keys must be names of ports: letters, digits and -")
port_keys = value(lambda items: all(map(_port_key, items)), "keys must be ports, 1 to 65535")

# Fields beside each other.


def _socket_without_ports(model: Any) -> bool:
    return not ((model.address or "").startswith("unix://") and _has(model, "ports"))


def _accounts_alone(model: Any) -> bool:
    accounts = _has(model, "service_accounts", "not_service_accounts")
    return not (accounts and _has(model, "principals", "not_principals", "namespaces", "not_namespaces"))


def _ranges_need_no_lookup(model: Any) -> bool:
    ranges = any("/" in address for address in model.addresses or [])
    return not ranges or (model.resolution or "NONE") in ("STATIC", "NONE")


def _ports_need_labels(model: Any) -> bool:
    labels: Mapping[str, str] = (model.selector and model.selector.match_labels) or {}
    return not _has(model, "port_level_mtls") or bool(labels)


accounts_alone = Rule(
    _accounts_alone, "service accounts stand for themselves: without principals and without namespaces beside them"
)
address_or_network = Rule(lambda model: bool(_has(model, "address", "network")), "needs an address or a network")
endpoints_need_resolution = Rule(
    lambda model: (model.resolution or "NONE") != "NONE" or not _has(model, "endpoints"),
    "endpoints need a resolution: STATIC, DNS or DNS_ROUND_ROBIN",
)
one_endpoint_for_round_robin = Rule(
    lambda model: model.resolution != "DNS_ROUND_ROBIN" or len(model.endpoints or []) <= 1,
    "DNS_ROUND_ROBIN takes one endpoint",
)
ports_need_labels = Rule(_ports_need_labels, "portLevelMtls needs a selector with labels")
ranges_need_no_lookup = Rule(_ranges_need_no_lookup, "addresses with a / need the resolution NONE or STATIC")
removed_without_value = Rule(
    lambda model: model.operation != "REMOVE" or not _has(model, "value"), "REMOVE takes no value"
)
set_with_value = Rule(lambda model: model.operation != "UPSERT" or bool(model.value), "UPSERT needs a value")
socket_without_ports = Rule(_socket_without_ports, "a Unix socket has no ports")
value_or_host = Rule(
    lambda model: model.value_from != "HOST" or not _has(model, "value"),
    "a value of the host is not given here as well",
)
waypoint_in_its_context = Rule(
    lambda model: (model.context == "WAYPOINT") == bool(_has(model, "waypoint")),
    "the context WAYPOINT and a waypoint match go together",
)
