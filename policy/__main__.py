"""The policy pack: each rule of `mesh_components.policy` as a policy over the whole stack."""

from __future__ import annotations

from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from mesh_components.policy import RULES, Resource, Rule


def plain(value: Any) -> Any:
    """A value without what is not known yet, which may not be looked at."""
    if hasattr(value, "keys"):
        return {key: inner for key in value for inner in [known(value, key)] if inner is not None}
    if hasattr(value, "__len__") and not isinstance(value, str):
        return [inner for index in range(len(value)) for inner in [known(value, index)] if inner is not None]
    return value


def known(values: Any, key: Any) -> Any:
    """One of them; None where it is not known yet."""
    try:
        return plain(values[key])
    except UnknownValueError:
        return None


def policy(rule: Rule) -> StackValidationPolicy:
    """A rule as Pulumi runs it."""

    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        resources = [
            Resource(item.urn, item.resource_type, item.name, plain(item.props), protect=item.opts.protect)
            for item in args.resources
        ]
        for found in rule.violations(resources):
            report(f"{found.reason}; fix: {found.fix}", found.urn)

    level = EnforcementLevel.MANDATORY if rule.level == "mandatory" else EnforcementLevel.ADVISORY
    return StackValidationPolicy(name=rule.name, description=rule.title, validate=validate, enforcement_level=level)


PolicyPack(name="mesh", enforcement_level=EnforcementLevel.MANDATORY, policies=[policy(rule) for rule in RULES])
