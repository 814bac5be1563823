"""The host process of `provider/`, as Pulumi's engine starts it, with this process as its engine.

It is told by gRPC what to make, and registers what it makes with a `Graph`, as programs in Python do under mocks.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2, json_format, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime import rpc, settings
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    errors_pb2,
    provider_pb2,
    provider_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
    status_pb2,
)

from mesh_components.provider.host import PYTHON
from tests.support.graph import ROOT, Graph

LOOPBACK = "127.0.0.1"
UNKNOWN = rpc.UNKNOWN


def secret(value: Any) -> dict[str, Any]:
    """A secret on the wire."""
    return {rpc._special_sig_key: rpc._special_secret_sig, "value": value}


def output(value: Any, *dependencies: str, secret: bool = False) -> dict[str, Any]:
    """A value with what it depends on; unknown where it is `UNKNOWN`."""
    known = {} if value == UNKNOWN else {"value": value}
    sig = {rpc._special_sig_key: rpc._special_output_value_sig}
    return {**sig, **known, "dependencies": list(dependencies), "secret": secret}


def reference(urn: str) -> dict[str, Any]:
    """A component on the wire: it has no id."""
    return {rpc._special_sig_key: rpc._special_resource_sig, "urn": urn, "id": ""}


def is_secret(value: Any) -> bool:
    """Whether it came as one."""
    return isinstance(value, Mapping) and (
        value.get(rpc._special_sig_key) == rpc._special_secret_sig or value.get("secret") is True
    )


def plain(value: Any) -> Any:
    """What is in it."""
    if isinstance(value, Mapping):
        if value.get(rpc._special_sig_key) in {rpc._special_secret_sig, rpc._special_output_value_sig}:
            return plain(value.get("value", UNKNOWN))
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


class RefusedError(Exception):
    """The host's answer where it makes nothing: a message, and what is wrong with which property."""

    def __init__(self, error: grpc.RpcError) -> None:
        super().__init__(error.details())
        self.code = error.code()
        self.message = error.details() or ""
        found = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
        self.properties = _properties(found) if found else []


def _properties(details: bytes) -> list[tuple[str, str]]:
    (packed,) = status_pb2.Status.FromString(details).details
    errors = errors_pb2.InputPropertiesError()
    packed.Unpack(errors)
    return [(item.property_path, item.reason) for item in errors.errors]


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """What the host registers resources with."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._lock = Lock()
        self._states: dict[str, tuple[str, struct_pb2.Struct]] = {}

    def RegisterResource(self, request: Any, _: Any) -> Any:  # noqa: N802 - the name is the protocol's
        with self._lock:
            response = self._graph.RegisterResource(request)
            self._states[response.urn] = (response.id, response.object)
            return response

    def RegisterResourceOutputs(self, request: Any, _: Any) -> Any:  # noqa: N802 - the name is the protocol's
        with self._lock:
            name = self._graph.name_of(request.urn)
            self._graph.resources_by_name[name].outputs = json_format.MessageToDict(request.outputs)
            self._states[request.urn] = ("", request.outputs)
        return empty_pb2.Empty()

    def Invoke(self, request: Any, _: Any) -> Any:  # noqa: N802 - the name is the protocol's
        if request.tok != "pulumi:pulumi:getResource":
            with self._lock:
                return self._graph.Invoke(request)  # type: ignore[no-untyped-call]
        urn = request.args["urn"]
        id_, state = self._states[urn]
        found = struct_pb2.Struct()
        found.update({"urn": urn, "id": id_})
        found.fields["state"].struct_value.CopyFrom(state)
        return resource_pb2.ResourceInvokeResponse(**{"return": found})

    def ReadResource(self, request: Any, _: Any) -> Any:  # noqa: N802 - the name is the protocol's
        with self._lock:
            return self._graph.ReadResource(request)

    def SupportsFeature(self, request: Any, _: Any) -> Any:  # noqa: N802 - the name is the protocol's
        told = self._graph.SupportsFeature(request)  # type: ignore[no-untyped-call]
        return resource_pb2.SupportsFeatureResponse(hasSupport=told.hasSupport)

    def GetDeploymentInfo(self, request: Any, _: Any) -> Any:  # noqa: N802 - the name is the protocol's
        return self._graph.GetDeploymentInfo(request)  # type: ignore[no-untyped-call]

    def RegisterErrorHook(self, _request: Any, _: Any) -> Any:  # noqa: N802 - the name is the protocol's
        return empty_pb2.Empty()

    def RegisterResourceHook(self, _request: Any, _: Any) -> Any:  # noqa: N802 - the name is the protocol's
        return empty_pb2.Empty()


class _Engine(engine_pb2_grpc.EngineServicer):
    """What the host tells the user through."""

    def __init__(self, logged: list[str]) -> None:
        self._logged = logged

    def Log(self, request: Any, _: Any) -> Any:  # noqa: N802 - the name is the protocol's
        if request.severity != engine_pb2.DEBUG:
            self._logged.append(request.message)
        return empty_pb2.Empty()


def _named(value: Any) -> Iterator[str]:
    """URNs of what a value is or comes from."""
    if isinstance(value, Mapping):
        if value.get(rpc._special_sig_key) == rpc._special_resource_sig:
            yield value["urn"]
        yield from value.get("dependencies", ()) if rpc._special_sig_key in value else ()
        yield from (urn for item in value.values() for urn in _named(item))
    elif isinstance(value, list):
        yield from (urn for item in value for urn in _named(item))


@dataclass
class Constructed:
    """What came back of a component."""

    urn: str
    state: dict[str, Any]
    dependencies: dict[str, list[str]]


@dataclass
class Host:
    """The process."""

    stub: provider_pb2_grpc.ResourceProviderStub
    logged: list[str] = field(default_factory=list)
    """What it told the user."""

    def schema(self) -> str:
        return str(self.stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=60).schema)

    def version(self) -> str:
        return str(self.stub.GetPluginInfo(empty_pb2.Empty(), timeout=60).version)

    def configure(self) -> Any:
        return self.stub.Configure(provider_pb2.ConfigureRequest(), timeout=60)

    @contextmanager
    def program(self, graph: Graph, **stack: Any) -> Iterator[Program]:
        """A program of which the host makes components. `stack`: its config, and what else the engine tells."""

        def add(server: Any) -> None:
            resource_pb2_grpc.add_ResourceMonitorServicer_to_server(_Monitor(graph), server)

        with _serving(add, preview=graph.preview) as at:
            yield Program(self, graph, at, stack)


@dataclass
class Program:
    """One run of it."""

    host: Host
    graph: Graph
    monitor: str
    stack: dict[str, Any]

    def construct(self, kind: str, name: str, inputs: Mapping[str, Any], **rest: Any) -> Constructed:
        """Have a component made. Raises RefusedError."""
        given = struct_pb2.Struct()
        given.update(dict(inputs))
        request = provider_pb2.ConstructRequest(
            project="mesh",
            stack="test",
            monitorEndpoint=self.monitor,
            dryRun=self.graph.preview,
            type=f"mesh:index:{kind}",
            name=name,
            inputs=given,
            inputDependencies={
                key: provider_pb2.ConstructRequest.PropertyDependencies(urns=sorted(_named(value)))
                for key, value in inputs.items()
            },
            accepts_output_values=True,
            **{**self.stack, **rest},
        )
        try:
            response = self.host.stub.Construct(request, timeout=60)
        except grpc.RpcError as error:
            raise RefusedError(error) from None
        dependencies = {key: list(found.urns) for key, found in response.stateDependencies.items()}
        return Constructed(response.urn, json_format.MessageToDict(response.state), dependencies)


@contextmanager
def hosting(**environment: str) -> Iterator[Host]:
    """Start it as the engine does: told an address, it prints the port of its own."""
    env = {key: value for key, value in os.environ.items() if key != PYTHON} | environment
    logged: list[str] = []
    with (
        _serving(lambda server: engine_pb2_grpc.add_EngineServicer_to_server(_Engine(logged), server)) as engine,
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, ROOT / "provider", engine], stdout=subprocess.PIPE, stderr=errors, env=env
        ) as process,
    ):
        assert process.stdout is not None
        try:
            port = process.stdout.readline().decode().strip()
            if not port:
                errors.seek(0)
                raise AssertionError(errors.read().decode())
            with grpc.insecure_channel(f"{LOOPBACK}:{port}") as channel:
                yield Host(provider_pb2_grpc.ResourceProviderStub(channel), logged)
        finally:
            process.terminate()


@contextmanager
def _serving(add: Any, *, preview: bool = False) -> Iterator[str]:
    def begin() -> None:
        settings.reset_options(project="mesh", stack="test", preview=preview)

    server = grpc.server(ThreadPoolExecutor(8, initializer=begin))
    add(server)
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    server.start()
    try:
        yield f"{LOOPBACK}:{port}"
    finally:
        server.stop(None)
