"""The process that Pulumi's engine starts for programs in other languages, and asks for components.

It answers the engine on the loopback address, whose port it prints.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi.errors import InputPropertiesError, InputPropertyError
from pulumi.provider import ConstructResult, Provider, main
from pydantic import ValidationError

from mesh_components.federation import MeshFederation
from mesh_components.provider.federation import federation_args
from mesh_components.provider.inputs import arguments
from mesh_components.provider.references import Handed
from mesh_components.provider.schema import CLUSTER_INPUT, Spec
from mesh_components.provider.served import BY_TOKEN, PACKAGE, Served
from mesh_components.provider.values import wire
from mesh_components.settings import FindingsError
from mesh_components.settings.document import place

PYTHON = "PULUMI_PYTHON_CMD"
"""Environment variable of Pulumi: which Python runs dynamic providers where the program is in another language."""

_OF_SECRETS = frozenset({"MESH003"})


def serve(schema: Path) -> None:
    """Serve the components with a schema that `make provider-schema` wrote; ends when the engine ends it."""
    pulumi.runtime.register_resource_module(PACKAGE, "index", Handed())
    main(MeshProvider(schema.read_text()), sys.argv[1:])


class MeshProvider(Provider):
    """Makes components of `served.SERVED`."""

    def __init__(self, schema: str) -> None:
        self._package = json.loads(schema)
        super().__init__(self._package["version"], schema)

    def construct(
        self, name: str, resource_type: str, inputs: Any, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Begin to make it. What is returned is known when it is made: inputs have to be waited for."""
        if resource_type not in BY_TOKEN:
            raise _refused(f"{resource_type} is no component of this package; it has {', '.join(BY_TOKEN)}")
        item, specs = BY_TOKEN[resource_type], self._package["resources"][resource_type]
        making = asyncio.ensure_future(_made(item, specs["inputProperties"], name, inputs, options))

        async def urn() -> Any:
            return (await making).urn

        async def output(key: str) -> Any:
            return item.state(await making).get(key)

        return ConstructResult(_later(urn()), {key: _later(output(key)) for key in specs["properties"]})


async def _made(
    item: Served, specs: Mapping[str, Spec], name: str, inputs: Any, options: pulumi.ResourceOptions | None
) -> pulumi.ComponentResource:
    """The component."""
    try:
        given = await arguments(item.args, specs, inputs)
        if item.in_one_cluster:
            options = _inside(given.pop(CLUSTER_INPUT, None), options)
        args = await federation_args(given) if item.component is MeshFederation else item.args(**given)
        watched = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(transformations=[_runs]))
        made: pulumi.ComponentResource = _telling(item)(name, args, watched)
        # What turns out wrong with values that came late is told as all else is.
        await pulumi.Output.all(*item.state(made).values()).future()
    except ValidationError as error:
        raise _misshapen(error) from None
    except FindingsError as error:
        raise _found(error) from None
    except pulumi.RunError as error:
        cause = error.__cause__
        raise (_found(cause) if isinstance(cause, FindingsError) else _refused(str(error))) from None
    return made


def _telling(item: Served) -> Any:
    """The component's class, whose outputs all come into the engine's state: other components are handed no more than
    its URN, and ask there."""

    def register_outputs(self: Any, _: Any) -> None:
        item.component.register_outputs(self, item.state(self))

    return type(item.component.__name__, (item.component,), {"register_outputs": register_outputs})


def _runs(args: pulumi.ResourceTransformationArgs) -> None:
    """Pulumi runs dynamic providers with the Python of the program, which is in another language."""
    if args.type_.startswith("pulumi-python:dynamic/") and not os.environ.get(PYTHON):
        raise pulumi.RunError(
            f"{args.name} is made by Python code, and Pulumi does not know which Python has it: "
            f"set {PYTHON}={sys.executable} in the environment of `pulumi`, also for destroy"
        )


def _inside(cluster: Any, options: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions | None:
    if cluster is not None:
        return pulumi.ResourceOptions.merge(options, cluster.inside())
    if options is None or "kubernetes" not in (options.providers or {}):
        raise InputPropertyError(
            CLUSTER_INPUT, "nothing says which cluster; give one, or a provider of kubernetes in the resource's options"
        )
    return options


def _misshapen(error: ValidationError) -> InputPropertiesError:
    """Its text never has the values."""
    found = error.errors()
    places = [place((wire(str(item["loc"][0])), *item["loc"][1:])) if item["loc"] else "" for item in found]
    return _refused("", list(zip(places, (item["msg"] for item in found), strict=True)))


def _found(error: FindingsError) -> InputPropertiesError:
    """Each finding at its property. But not those of secrets: the engine would print the property's value."""
    shown = [item for item in error.findings if item.code not in _OF_SECRETS]
    head, *_ = str(error).splitlines()
    hidden = [str(item) for item in error.findings if item.code in _OF_SECRETS]
    return _refused("\n".join([head, *hidden]), [(f"mesh.{item.place}", str(item)) for item in shown])


def _refused(message: str, properties: Sequence[tuple[str, str]] = ()) -> InputPropertiesError:
    return InputPropertiesError(message, [{"property_path": path, "reason": reason} for path, reason in properties])


def _later(value: Coroutine[Any, Any, Any]) -> pulumi.Output[Any]:
    return pulumi.Output.from_input(value)
