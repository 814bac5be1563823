"""The only door to Pulumi's SDK and its private parts: one pass of a program, and the values on its wire.

A pass runs in a context of its own with a loop of its own, as the SDK keeps everything in context variables: so a
preview leaves nothing behind for the update that follows in the same process.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import math
import os
import runpy
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pulumi
from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi import log as program_log
from pulumi._utils import ContextProperty
from pulumi.runtime import resource, rpc, set_all_config
from pulumi.runtime.mocks import MockMonitor, set_mocks
from pulumi.runtime.proto import provider_pb2, resource_pb2, source_pb2
from pulumi.runtime.settings import SETTINGS, set_root_resource
from pulumi.runtime.stack import run_in_stack

from meshctl.local.model import UNKNOWN
from meshctl.local.project import Config, Project

THREADS = 32
SECRET_MARK: Mapping[str, str] = {rpc._special_sig_key: rpc._special_secret_sig}

RunError = pulumi.RunError
Request = resource_pb2.RegisterResourceRequest
OutputsRequest = resource_pb2.RegisterResourceOutputsRequest
InvokeRequest = resource_pb2.ResourceInvokeRequest
ReadRequest = resource_pb2.ReadResourceRequest

_FEATURES = [
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_PARAMETERIZATION,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
]


class UnsupportedValue(Exception):  # noqa: N818 (it names a value, not a failure)
    """A property holds something the local engine has no use for, such as an asset."""


class Monitor(MockMonitor):
    """What a program talks to. Aliases come as whole URNs, as the feature that would send them in parts is left out."""

    def __init__(self) -> None:
        """Take no mocks: every answer comes from the subclass."""
        self.resources = {}
        self._hooks: set[str] = set()

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802, ARG002 (the SDK's names)
        """Tell the SDK what it may send."""
        return resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES)

    def RegisterResourceHook(self, request: Any) -> Any:  # noqa: N802 (the SDK's names)
        """Accept a hook, each name once as Pulumi does; none is run."""
        if request.name in self._hooks:
            message = f"resource hook already registered for name {request.name!r}"
            raise ValueError(message)
        self._hooks.add(request.name)
        return empty_pb2.Empty()

    RegisterErrorHook = RegisterResourceHook


def registered(urn: str, id_: str, outputs: Mapping[str, Any], secret: frozenset[str]) -> Any:
    """Answer a registration that went well."""
    return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=struct(outputs, secret))


def read(urn: str, name: str, outputs: Mapping[str, Any], secret: frozenset[str]) -> Any:
    """Answer what another stack exports."""
    marked = {key: {**SECRET_MARK, "value": value} if key in secret else value for key, value in outputs.items()}
    properties = {"name": name, "outputs": marked, "secretOutputNames": sorted(secret)}
    return resource_pb2.ReadResourceResponse(urn=urn, properties=struct(properties, frozenset()))


def unread(urn: str, name: str) -> Any:
    """Answer what another stack exports where nobody looks: anything, known later."""
    properties = {"name": name, "outputs": UNKNOWN, "secretOutputNames": UNKNOWN}
    return resource_pb2.ReadResourceResponse(urn=urn, properties=struct(properties, frozenset()))


def later() -> pulumi.Output[Any]:
    """A value that nobody knows yet."""
    return pulumi.Output.from_input(pulumi.output.Unknown())  # type: ignore[no-untyped-call]


def failed(urn: str) -> Any:
    """Answer a registration that failed: the program goes on with outputs that nobody knows."""
    return resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.Result.FAIL)


def invoked(result: Mapping[str, Any]) -> Any:
    """Answer a function."""
    return resource_pb2.ResourceInvokeResponse(**{"return": struct(result, frozenset())})


def not_invoked(reason: str) -> Any:
    """Answer a function that failed."""
    return resource_pb2.ResourceInvokeResponse(failures=[provider_pb2.CheckFailure(property="", reason=reason)])


def empty() -> Any:
    """Answer what needs no answer."""
    return empty_pb2.Empty()


def struct(values: Mapping[str, Any], secret: frozenset[str]) -> struct_pb2.Struct:
    """Plain values as they go over the wire."""
    wired = {key: _wire(value) for key, value in values.items()}
    for key in wired.keys() & secret:
        wired[key] = {**SECRET_MARK, "value": wired[key]}
    result = struct_pb2.Struct()
    result.update(wired)
    return result


def _wire(value: Any) -> Any:
    if value is UNKNOWN:
        return rpc.UNKNOWN
    if isinstance(value, Mapping):
        return {str(key): _wire(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_wire(item) for item in value]
    return value


def plain(values: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[str]]:
    """Properties off the wire, and the names of those that hold a secret anywhere."""
    result, secret = {}, set()
    for key, value in values.fields.items():
        found: list[bool] = []
        item = _plain(value, found)
        if item is not None:
            result[key] = item
        if found:
            secret.add(key)
    return result, frozenset(secret)


def plain_value(value: struct_pb2.Value) -> tuple[Any, bool]:
    """One value off the wire, and whether it holds a secret."""
    secret: list[bool] = []
    return _plain(value, secret), bool(secret)


def _plain(value: struct_pb2.Value, secret: list[bool]) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _plain_struct(value.struct_value, secret)
    if kind == "list_value":
        return [_plain(item, secret) for item in value.list_value.values]
    if kind == "string_value":
        return UNKNOWN if value.string_value == rpc.UNKNOWN else value.string_value
    if kind == "number_value":
        number = value.number_value
        # The wire has doubles only, and a Kubernetes port must not become 80.0.
        return int(number) if math.isfinite(number) and number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def _plain_struct(value: struct_pb2.Struct, secret: list[bool]) -> Any:
    fields = value.fields
    if rpc._special_sig_key in fields:
        signature = fields[rpc._special_sig_key].string_value
        if signature == rpc._special_secret_sig:
            secret.append(True)
            return _plain(fields["value"], secret)
        if signature == rpc._special_resource_sig:
            return _plain(fields["id"] if "id" in fields else fields["urn"], secret) or UNKNOWN
        message = "holds an asset or archive; the local engine knows plain values only"
        raise UnsupportedValue(message)
    items = ((key, _plain(item, secret)) for key, item in fields.items())
    return {key: item for key, item in items if item is not None}


def run(
    project: Project,
    config: Config,
    monitor: Monitor,
    log: logging.Logger,
    *,
    preview: bool,
    program: Callable[[], None] | None = None,
) -> None:
    """Run the project's program, or another one, once against `monitor`; whatever it raises comes out of here."""
    body = program or (lambda: _run_path(project.program))

    log.setLevel(logging.INFO)

    def one_pass() -> None:
        # Anything but None keeps set_mocks from registering a Stack of its own, before the one of the program.
        set_root_resource(cast("Any", object()))
        set_mocks(
            cast("Any", None),
            project=project.name,
            stack=project.stack,
            preview=preview,
            logger=log,
            monitor=monitor,
            organization="organization",
        )
        set_root_resource(cast("Any", None))
        SETTINGS.outputs, SETTINGS.lock = Outstanding(), threading.Lock()
        SETTINGS.package_refs, SETTINGS.base_providers_by_ref = {}, {}
        SETTINGS.root_directory, SETTINGS.legacy_apply_enabled = str(project.root), False
        set_all_config(dict(config.values), list(config.secret_keys))
        with _loop() as loop, _as_language_host(project.program):
            loop.run_until_complete(run_in_stack(body))

    # A pass makes very many objects that live until its end: looking through them for garbage finds none.
    gc.freeze()
    gc.disable()
    try:
        contextvars.copy_context().run(one_pass)
    finally:
        if not preview:  # nothing comes after an update that could use the room
            gc.freeze()
        gc.enable()


def _drop(*_: Any, **__: Any) -> None:
    """Take a message that nobody is told of."""


# Each step of each registration has one, and it costs a good deal before its level is looked at.
program_log.debug = _drop
# Where in the program each resource was written is for the engine's own displays; finding it walks the whole stack.
resource._get_stack_trace = source_pb2.StackTrace


def _of_context(self: ContextProperty, obj: Any, _: Any) -> Any:
    value = self._data.get(self._ContextProperty__default)  # type: ignore[attr-defined]
    return self if obj is None or isinstance(value, dict) else value


# Asked 80 times for each resource; what the SDK does asks its context variable twice.
ContextProperty.__get__ = _of_context  # type: ignore[method-assign]


class Outstanding(set[Any]):
    """The SDK's outstanding outputs, handed out a few at a time.

    The SDK waits for the first of all of them, again and again, which costs the square of their number: a seventh of
    the time of an `up` of 400 resources. Waiting for the first of a few ends with the same set, empty.
    """

    _AT_ONCE = 16

    def __init__(self) -> None:
        super().__init__()
        self._handed: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        self._handed = list(islice(super().__iter__(), self._AT_ONCE))
        return iter(self._handed)

    def clear(self) -> None:
        """Take out what was handed out."""
        self.difference_update(self._handed)


def _run_path(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A fresh loop; a program that failed leaves futures nobody will await, which asyncio must not complain about."""
    logger = logging.getLogger("asyncio")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="step")
    loop.set_default_executor(pool)
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        pool.shutdown(wait=True)
        asyncio.set_event_loop(None)
        loop.close()
        logger.setLevel(level)


@contextmanager
def _as_language_host(program: Path) -> Iterator[None]:
    """Run where Pulumi's language host runs a program: in its folder, with that folder first on the path."""
    before, argv, path, modules = Path.cwd(), sys.argv, list(sys.path), set(sys.modules)
    os.chdir(program.parent)
    sys.argv, sys.path = [str(program)], [str(program.parent), *sys.path]
    try:
        yield
    finally:
        os.chdir(before)
        sys.argv, sys.path = argv, path
        for name in set(sys.modules) - modules:
            if _is_of_program(name, f"{program.parent}{os.sep}"):
                del sys.modules[name]


def _is_of_program(name: str, folder: str) -> bool:
    """Tell whether a module is the program's own, to be run again by the next pass; libraries are kept."""
    # Thousands of modules are asked: their paths are compared as text.
    file = getattr(sys.modules[name], "__file__", None) or ""
    if not file.startswith(folder) or name.partition(".")[0] in ("mesh_components", "meshctl"):
        return False
    return "site-packages" not in file


Log = Callable[[str, str], None]
"""Told a level (`info`, `warning`, `error`) and a message of the program."""


class LogHandler(logging.Handler):
    """Hands on what the program logs by `pulumi.log`."""

    def __init__(self, tell: Log) -> None:
        """Tell each message to `tell`."""
        super().__init__(logging.INFO)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on one message."""
        self._tell(record.levelname.lower(), record.getMessage())
