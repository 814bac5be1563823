"""Whole programs on the SDK's mocks, with everything recorded that a registration says.

All private names of the SDK that tests need are used here and nowhere else.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import runpy
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pulumi.runtime import mocks, rpc, settings, stack
from pulumi.runtime.config import set_all_config

from meshctl.local.sdk import Outstanding
from tests.support.mesh_authority import MeshAuthority

ROOT = Path(__file__).parents[2]

Charts = Callable[[str, Mapping[str, Any], str], list[dict[str, Any]]]
"""From a chart's name, its values and its namespace to its objects."""

Answer = Callable[[str, Mapping[str, Any]], dict[str, Any]]
"""What a provider would add, from a resource's name and inputs."""


@dataclass
class Registered:
    """One registration as the engine would see it."""

    type: str
    name: str
    urn: str
    parent: str
    provider: str
    inputs: dict[str, Any]
    secret: frozenset[str]
    depends_on: frozenset[str]
    protect: bool
    additional_secret_outputs: tuple[str, ...]
    retained: bool
    """Deleting the resource leaves the object."""
    deleted_with: str
    """Name of the resource whose deletion takes this one along; empty where there is none."""
    ignored: tuple[str, ...]
    """Properties whose changes count for nothing."""
    outputs: dict[str, Any] = field(default_factory=dict)
    order: int = 0

    @property
    def kubernetes_name(self) -> str:
        return str(self.inputs["metadata"]["name"])


class Inline(ThreadPoolExecutor):
    """Runs at once: with a pool the order of registrations would vary."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - whatever it is, the future carries it
            future.set_exception(error)
        return future


class Graph(mocks.MockMonitor, mocks.Mocks):
    """Mocks and recorder in one."""

    def __init__(
        self,
        charts: Charts | None = None,
        preview: bool = False,
        answers: Mapping[str, Answer] | None = None,
        stacks: Mapping[str, Any] | None = None,
    ) -> None:
        mocks.MockMonitor.__init__(self, self)
        self.preview = preview
        self.charts = charts
        self.answers = {**ANSWERS, **(answers or {})}
        self.stacks = stacks or {}
        self.resources_by_name: dict[str, Registered] = {}
        self.rendered: list[dict[str, Any]] = []
        self.stack_outputs: dict[str, Any] = {}
        self._urns: dict[str, str] = {}
        self._hooks: set[str] = set()

    # what the program sees

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        inputs = _plain(args.inputs)
        if args.typ == STACK_REFERENCE:  # Read, and so known in a preview too.
            return args.name, {**args.inputs, "outputs": self.stacks.get(inputs["name"], STACK_OUTPUTS)}
        answer = None if self.preview else self.answers.get(args.typ)
        answered = answer(args.name, inputs) if answer else {}
        return ("" if self.preview else f"{args.name}-id"), {**args.inputs, **answered}

    def call(self, args: mocks.MockCallArgs) -> Any:
        options = json.loads(args.args["jsonOpts"])
        self.rendered.append(options)
        chart = str(options.get("path") or options["chart"]).rsplit("/", 1)[-1]
        assert self.charts, "this program was to render no chart"
        objects = self.charts(chart, options["values"], options["namespace"])
        if "version" in options:
            objects = [_of_chart(item, f"{chart}-{options['version']}") for item in objects]
        return {"result": objects}

    # what is recorded

    def RegisterErrorHook(self, request: Any) -> Any:  # noqa: N802 - the name is the SDK's
        assert request.name not in self._hooks, f"Pulumi takes a hook of the name {request.name} once"
        self._hooks.add(request.name)
        return super().RegisterErrorHook(request)  # type: ignore[no-untyped-call]

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name is the SDK's
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        if request.type == "pulumi:pulumi:Stack":
            return response
        assert response.urn not in self._urns, f"two resources with the URN {response.urn}"
        # Resources of two types may have one name.
        key = response.urn if request.name in self.resources_by_name else request.name
        self._urns[response.urn] = key
        inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
        self.resources_by_name[key] = Registered(
            type=request.type,
            name=request.name,
            urn=response.urn,
            parent=self._urns.get(request.parent, ""),
            provider=self._urns.get(request.provider.rsplit("::", 1)[0], ""),
            inputs=_plain(inputs),
            secret=frozenset(key for key, value in inputs.items() if rpc.is_rpc_secret(value)),
            # What is read, such as another stack, is not registered.
            depends_on=frozenset(self._urns[urn] for urn in request.dependencies if STACK_REFERENCE not in urn),
            protect=request.protect,
            additional_secret_outputs=tuple(request.additionalSecretOutputs),
            retained=request.retainOnDelete,
            deleted_with=self._urns.get(request.deletedWith, ""),
            ignored=tuple(request.ignoreChanges),
            order=len(self.resources_by_name),
        )
        return response

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 - the name is the SDK's
        response = super().ReadResource(request)  # type: ignore[no-untyped-call]
        self._urns[response.urn] = request.name
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name is the SDK's
        outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        if request.urn in self._urns:
            self.resources_by_name[self._urns[request.urn]].outputs = outputs
        else:
            self.stack_outputs = outputs
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    # what tests ask

    def note(self, name: str) -> str:
        """The URN of a resource that somebody else registered."""
        urn = f"urn:pulumi:test::mesh::other:index:Thing::{name}"
        self._urns[urn] = name
        return urn

    def name_of(self, urn: str) -> str:
        """The key of a resource among those that are recorded."""
        return self._urns[urn]

    def of_type(self, type_: str) -> list[Registered]:
        return [item for item in self.resources_by_name.values() if item.type == type_]

    def kubernetes(self) -> Iterator[Registered]:
        yield from (item for item in self.resources_by_name.values() if item.type.startswith("kubernetes:"))

    def cluster(self, item: Registered) -> str:
        """The cluster that a resource goes to, by its provider's identifier."""
        return str(self.resources_by_name[item.provider].inputs["clusterIdentifier"]).rsplit("/", 1)[-1]

    def components(self, item: Registered) -> list[str]:
        """Types from the root to the resource."""
        above = self.components(self.resources_by_name[item.parent]) if item.parent else []
        return [*above, item.type]

    def drawing(self) -> str:
        """The graph as text, indented by parent: what a golden file holds."""
        lines: list[str] = []

        def draw(parent: str, depth: int) -> None:
            children = sorted((r for r in self.resources_by_name.values() if r.parent == parent), key=lambda r: r.name)
            for child in children:
                where = f" @{self.cluster(child)}" if child.type.startswith("kubernetes:") else ""
                lines.append(f"{'  ' * depth}{child.type} {child.name}{where}")
                draw(child.name, depth + 1)

        draw("", 0)
        return "\n".join(lines) + "\n"


def run(
    program: Callable[[], None],
    *,
    config: Mapping[str, str] | None = None,
    secrets: list[str] | None = None,
    charts: Charts | None = None,
    preview: bool = False,
    answers: Mapping[str, Answer] | None = None,
    stacks: Mapping[str, Any] | None = None,
) -> Graph:
    """Run a program on a graph of its own. `preview`: nothing but inputs is known, as on an empty state."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(Inline(1))
    settings.reset_options()
    set_all_config(dict(config or {}), secrets or [])
    graph = Graph(charts, preview, answers, stacks)
    gc.disable()  # as in a pass of the local engine
    try:
        mocks.set_mocks(graph, project="mesh", stack="test", monitor=graph, preview=preview)
        settings.SETTINGS.outputs = Outstanding()
        settings.SETTINGS.rpc_manager.clear()
        settings.set_root_resource(None)  # type: ignore[arg-type]
        loop.run_until_complete(stack.run_in_stack(program))
    finally:
        gc.enable()
        settings.reset_options()
        asyncio.set_event_loop(None)
        loop.close()
    return graph


def run_main(folder: Path, config: Mapping[str, str], **rest: Any) -> Graph:
    """Run the `__main__.py` of a folder."""

    def program() -> None:
        runpy.run_path(str(folder / "__main__.py"), run_name="__main__")

    return run(program, config=config, **rest)


def _plain(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _of_chart(item: dict[str, Any], chart: str) -> dict[str, Any]:
    """The object with the label that each of Istio's has: another version of the chart changes every object."""
    metadata = item["metadata"]
    return {**item, "metadata": {**metadata, "labels": {**(metadata.get("labels") or {}), "helm.sh/chart": chart}}}


def _pem(kind: str, text: str) -> str:
    return f"-----BEGIN {kind}-----\n{base64.b64encode(text.encode()).decode()}\n-----END {kind}-----\n"


def _secret(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if inputs.get("type") != "kubernetes.io/service-account-token":
        return {}
    values = {"token": f"token of {name}", "ca.crt": _pem("CERTIFICATE", f"ca of {name}")}
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


def _service(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    if inputs["spec"].get("type") != "LoadBalancer":
        return {"status": {"loadBalancer": {}}}
    return {"status": {"loadBalancer": {"ingress": [{"ip": f"198.51.100.{1 + sum(name.encode()) % 250}"}]}}}


@cache
def authority(organization: str, name: str) -> MeshAuthority:
    """Behind a root of a program: real, since what a mesh says of itself to others is looked at."""
    return MeshAuthority(f"{organization} {name}")


def _root(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    made = authority(inputs["subject"]["organization"], name)
    return {"certPem": made.pem, "validityEndTime": "2036-11-20T00:00:00Z"}


def _certificate(name: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"certPem": _pem("CERTIFICATE", name), "validityEndTime": "2036-11-20T00:00:00Z"}


def _token_request(name: str, _: Mapping[str, Any]) -> dict[str, Any]:
    known = {"certificateAuthority": base64.b64encode(b"authority").decode(), "expires": "2027-01-01T00:00:00Z"}
    return {"token": f"token of {name}", **known}


def _gke(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Of what is an input too, the cloud fills in the rest."""
    dns = {"endpoint": f"gke-{name}.example.goog", **inputs.get("controlPlaneEndpointsConfig", {})}
    return {
        "endpoint": f"203.0.113.{1 + sum(name.encode()) % 250}",
        "masterAuth": {"clusterCaCertificate": base64.b64encode(f"ca of {name}".encode()).decode()},
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": dns},
    }


def _address(name: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {"address": f"198.51.100.{1 + sum(name.encode()) % 250}", "selfLink": f"https://compute/{name}"}


def _ibm_kubeconfig(name: str, _inputs: Mapping[str, Any]) -> dict[str, Any]:
    user = {"client-certificate-data": "Y2VydA==", "client-key-data": f"key of {name}"}
    document = {
        "clusters": [{"name": "ibm", "cluster": {"server": f"https://{name}.containers.example:30000"}}],
        "contexts": [{"name": "ibm", "context": {"cluster": "ibm", "user": "admin"}}],
        "current-context": "ibm",
        "users": [{"name": "admin", "user": user}],
    }
    return {"kubeconfig": json.dumps(document), "expires": "2027-01-01T00:00:00Z"}


STACK_REFERENCE = "pulumi:pulumi:StackReference"
STACK_OUTPUTS: dict[str, Any] = {}
"""What another stack exports, in a test that says so."""

ANSWERS: dict[str, Answer] = {
    "gcp:compute/address:Address": _address,
    "gcp:container/cluster:Cluster": _gke,
    "kubernetes:core/v1:Secret": _secret,
    "kubernetes:core/v1:Service": _service,
    "pulumi-python:dynamic/mesh:IbmKubeconfig": _ibm_kubeconfig,
    "pulumi-python:dynamic/mesh:RandomText": lambda name, _: {"text": f"drawn for {name}"},
    "pulumi-python:dynamic/mesh:TokenRequest": _token_request,
    "tls:index/certRequest:CertRequest": lambda name, _: {"certRequestPem": _pem("CERTIFICATE REQUEST", name)},
    "tls:index/locallySignedCert:LocallySignedCert": _certificate,
    "tls:index/privateKey:PrivateKey": lambda name, _: {"privateKeyPem": _pem("EC PRIVATE KEY", name)},
    "tls:index/selfSignedCert:SelfSignedCert": _root,
}
"""What a provider would add, by type."""
