"""Which rule of `mesh_components/istio/rules.py` stands for which expression of a CRD.

Expressions are compared as text, with every space taken as one. An expression that is not here stops the generator:
read it, write a rule for it, and add it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.istio_types.names import DEPRECATED, python_name

_SCHEMES = (
    'isURL(self) ? (url(self).getScheme() in [{0}]) : (isURL("http://" + self) && url("http://" + self).getScheme() in '
    "[{0}])"
)

_RULES: dict[str, str] = {
    "duration(self) >= duration('1ms')": "at_least_1ms",
    "0 < self && self <= 65535": "port",
    "self.size() == 0": "empty",
    'self.all(key, !key.contains("*"))': "keys_without_wildcard",
    "self.all(key, key.size() != 0)": "keys_named",
    'self.all(key, size(key) < 63 && key.matches("^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$"))': "port_names",
    "self.all(key, 0 < int(key) && int(key) <= 65535)": "port_keys",
    "self.all(l1, self.exists_one(l2, l1.number == l2.number))": 'distinct("number")',
    '!self.contains("*")': "no_wildcard",
    'self != "*"': "not_everything",
    'self in ["", "HTTP", "HTTPS"]': "probe_scheme",
    'url(self).getScheme() in ["http", "https"]': "http_url",
    _SCHEMES.format('"", "http", "https", "file", "oci"'): "module_address",
    _SCHEMES.format('"", "http", "https", "oci", "file"'): "module_address",
    'self.startsWith("unix://") ? (self.substring(7, 8) == "/" || self.substring(7, 8) == "@") : true': "socket",
    'self.startsWith("unix://") ? !self.endsWith("/") : true': "no_folder",
    '(has(self.address) ? self.address : "").startsWith("unix://") ? !has(self.ports) : true': "socket_without_ports",
    "has(self.address) || has(self.network)": "address_or_network",
    '(has(self.valueFrom) ? self.valueFrom : "") != "HOST" || !has(self.value)': "value_or_host",
    "has(self.wasm) != has(self.lua)": 'exactly_one("wasm", "lua")',
    'has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) : '
    "!has(self.waypoint)": "waypoint_in_its_context",
    '!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) && !((has(self.resolution) ? '
    'self.resolution : "NONE") in ["STATIC", "NONE"]))': "ranges_need_no_lookup",
    '((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? !has(self.endpoints) : true': (
        "endpoints_need_resolution"
    ),
    '((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ? ((has(self.endpoints) ? self.endpoints : '
    "[]).size() <= 1) : true": "one_endpoint_for_round_robin",
    "(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) && !has(self.notPrincipals) "
    "&& !has(self.namespaces) && !has(self.notNamespaces)) : true": "accounts_alone",
    "has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ? self.selector.matchLabels : "
    "{}).size() > 0) : true": "ports_need_labels",
    '((has(self.operation) ? self.operation : "") == "UPSERT") ? (self.value != "") : true': "set_with_value",
    '((has(self.operation) ? self.operation : "") == "REMOVE") ? !has(self.value) : true': "removed_without_value",
}

_COUNTED = re.compile(r"\(has\(self\.(\w+)\) \? 1 : 0\)")


def of_expressions(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """The rules of a schema's own CEL expressions, as Python names them."""
    for validation in schema.get("x-kubernetes-validations", ()):
        expression = " ".join(validation["rule"].split())
        counted = _COUNTED.findall(expression)
        if counted and expression == " + ".join(f"(has(self.{name}) ? 1 : 0)" for name in counted) + " <= 1":
            yield at_most_one(counted)
        elif expression in _RULES:
            yield f"rule.{_RULES[expression]}"
        else:
            message = f"{path}: nobody has read this rule yet: {expression}"
            raise SystemExit(message)


def of_alternatives(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """The rules of `oneOf`: Istio's CRDs use it for fields of which one or none is set, and for nothing else."""
    for part in [schema, *schema.get("allOf", ())]:
        if "oneOf" not in part:
            continue
        none, *each = part["oneOf"]
        names = [one["required"][0] for one in each]
        required = [{"required": [name]} for name in names]
        if each != required or none != {"not": {"anyOf": required}}:
            message = f"{path}: these alternatives are of another kind than all before: {part['oneOf']}"
            raise SystemExit(message)
        if len(names) > 1:
            yield at_most_one(names)


def at_most_one(wire: list[str]) -> str:
    """`rule.at_most_one(...)` of fields as the wire calls them, less those that no model has."""
    names = ", ".join(f'"{python_name(name)}"' for name in wire if name not in DEPRECATED)
    return f"rule.at_most_one({names})"
