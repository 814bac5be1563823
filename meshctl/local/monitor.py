"""The resource monitor a program talks to: registrations become goals, the engine's answers replies."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from typing import Any

from meshctl.local import sdk
from meshctl.local.engine import STACK_TYPE, Engine
from meshctl.local.model import Goal, Options, StepError
from meshctl.local.references import References
from meshctl.local.registry import needs_cli
from meshctl.local.state import StateError

_REFUSED: Mapping[str, str] = {
    "importId": "import_",
    "replaceOnChanges": "replace_on_changes",
    "replace_with": "replace_with",
    "transforms": "transforms",
    "state_migrations": "state_migrations",
    "envVarMappings": "env_var_mappings",
}
"""Options that would change a step and are not honoured here, by their field on the wire."""

_REFERENCE = "pulumi:pulumi:StackReference"
_NOT_HONOURED = "the local engine does not honour {}; leave it out, or use the Pulumi CLI"


class Monitor(sdk.Monitor):
    """One pass of a program, as seen by the SDK."""

    def __init__(self, engine: Engine, project: str, stack: str, references: References) -> None:
        """Hand everything to `engine`, and read the outputs of other stacks from `references`."""
        super().__init__()
        self.engine = engine
        self._references = references
        self.errors: list[str] = []
        """What went wrong apart from single resources; a program that fails afterwards fails because of it."""
        self.outputs: Mapping[str, Any] = {}
        self.secret_outputs: frozenset[str] = frozenset()
        self._prefix = f"urn:pulumi:{stack}::{project}::"
        self._stack_lock = threading.Lock()

    def RegisterResource(self, request: sdk.Request) -> Any:  # noqa: N802 (the SDK's name)
        """Take a resource through its step, and wait for the end of it."""
        urn = self._urn(request)
        try:
            goal = _goal(request, urn)
        except sdk.UnsupportedValue as error:
            bare = Goal(urn, request.type, request.name, request.custom, request.parent, "", {}, frozenset(), ())
            self.engine.register(bare, refusal=str(error))
            return sdk.failed(urn)
        aliases = tuple(alias.replace(f"{STACK_TYPE}$", "") for alias in request.aliasURNs)
        answer = self.engine.register(goal, aliases, _refusal(request))
        return sdk.registered(urn, answer.id, answer.outputs, answer.secret) if answer.ok else sdk.failed(urn)

    def RegisterResourceOutputs(self, request: sdk.OutputsRequest) -> Any:  # noqa: N802 (the SDK's name)
        """Record the outputs of a component or of the stack."""
        outputs, secret = sdk.plain(request.outputs)
        if request.urn.startswith(f"{self._prefix}{STACK_TYPE}::"):
            self.outputs, self.secret_outputs = outputs, secret
        self.engine.register_outputs(request.urn, outputs, secret)
        return sdk.empty()

    def ReadResource(self, request: sdk.ReadRequest) -> Any:  # noqa: N802 (the SDK's name)
        """Read the outputs of another stack, and refuse `X.get()`: nothing else is read that is not managed."""
        message = f"{request.name}: reading an existing {request.type} needs the Pulumi CLI"
        if request.type == _REFERENCE:
            try:
                return sdk.read(self._urn(request), request.id, *self._references.outputs(request.id))
            except StateError as error:
                message = f"{request.name}: {error}"
        self.errors.append(message)
        raise sdk.RunError(message)

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: N802, ARG002 (the SDK's names)
        """Refuse a transform of all resources: without it the resources would not be what the program says."""
        raise self._refused("register_resource_transform")

    def RegisterStackInvokeTransform(self, request: Any) -> Any:  # noqa: N802, ARG002 (the SDK's names)
        """Refuse a transform of all function calls."""
        raise self._refused("register_invoke_transform")

    def Invoke(self, request: sdk.InvokeRequest) -> Any:  # noqa: N802 (the SDK's name)
        """Answer a provider function."""
        args, secret = sdk.plain(request.args)
        try:
            if request.tok == "pulumi:pulumi:getResource":
                return self._resource(args["urn"])
            return sdk.invoked(self.engine.invoke(request.tok, _provider_urn(request.provider), args))
        except StepError as error:
            self.errors.append(f"{request.tok}: {error}" if not secret else f"{request.tok} failed")
            return sdk.not_invoked(str(error))

    def _refused(self, name: str) -> sdk.RunError:
        message = f"pulumi.runtime.{name}: {_NOT_HONOURED.format('a transform of the whole stack')}"
        self.errors.append(message)
        return sdk.RunError(message)

    def _resource(self, urn: str) -> Any:
        record = self.engine.store.records.get(urn)
        if record is None:
            message = f"{urn} is not a resource of this stack"
            raise StepError(message)
        return sdk.invoked({"urn": urn, "id": record.id, "state": record.outputs})

    def _urn(self, request: sdk.Request | sdk.ReadRequest) -> str:
        types = request.type
        if request.parent:
            above = request.parent[len(self._prefix) :].partition("::")[0]
            types = types if above == STACK_TYPE else f"{above}${types}"
        return f"{self._prefix}{types}::{request.name}"


def _goal(request: sdk.Request, urn: str) -> Goal:
    inputs, secret = sdk.plain(request.object)
    return Goal(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        provider=_provider_urn(request.provider),
        inputs=inputs,
        secret_inputs=secret,
        # What is read is no resource of this stack.
        dependencies=tuple(sorted(urn for urn in request.dependencies if _REFERENCE not in urn)),
        options=_options(request),
    )


def _options(request: sdk.Request) -> Options:
    return Options(
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=request.deleteBeforeReplace,
        ignore_changes=tuple(request.ignoreChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        deleted_with=request.deletedWith,
        replacement_trigger=_trigger(request),
        timeouts={
            name: _seconds(getattr(request.customTimeouts, name))
            for name in ("create", "update", "delete")
            if getattr(request.customTimeouts, name)
        },
    )


def _trigger(request: sdk.Request) -> Any:
    """Only a change of it counts, so one that is secret is kept as a digest."""
    if not request.HasField("replacement_trigger"):
        return None
    value, secret = sdk.plain_value(request.replacement_trigger)
    if not secret:
        return value
    text = json.dumps([request.type, request.name, value], sort_keys=True, default=repr)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _refusal(request: sdk.Request) -> str:
    if request.remote:
        return needs_cli(request.type)
    named = [option for wire, option in _REFUSED.items() if getattr(request, wire)]
    if not named:
        return ""
    return _NOT_HONOURED.format(f"the option {' and '.join(named)}")


def _provider_urn(reference: str) -> str:
    return reference.rpartition("::")[0]


_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def _seconds(duration: str) -> float:
    """A Go duration such as `1h30m` or `20s`; a bare number is seconds."""
    total, number, index = 0.0, "", 0
    while index < len(duration):
        if duration[index].isdigit() or duration[index] == ".":
            number += duration[index]
            index += 1
            continue
        unit = "ms" if duration[index : index + 2] == "ms" else duration[index]
        if unit not in _UNITS or not number:
            message = f"custom_timeouts: {duration!r} is not a duration such as 90s, 20m or 1h30m"
            raise sdk.UnsupportedValue(message)
        total += float(number) * _UNITS[unit]
        number, index = "", index + len(unit)
    return total + float(number or 0)
