"""The sample applications of a federation."""

from __future__ import annotations

from typing import Any

import pulumi

from mesh_components.federation.member import Member, Site
from mesh_components.services.bookinfo import Bookinfo, BookinfoArgs
from mesh_components.services.helloworld import HelloWorld, HelloWorldArgs
from mesh_components.settings.applications import BookinfoSettings, HelloWorldSettings
from mesh_components.topology.applications import Application


def deploy(site: Site, member: Member, *after: pulumi.Resource | None) -> dict[str, pulumi.Resource]:
    """What a cluster has of each application: last of all, since its pods need an injector, and way to other clusters
    only through the gateways. By namespace."""
    opts = site.inside(member, *member.ready, *member.credentials, member.gateway, member.ambient_gateway, *after)
    made: dict[str, pulumi.Resource] = {}
    for application in member.plan.applications:
        name = f"{member.prefix}-{application.name}"
        if isinstance(application.settings, HelloWorldSettings):
            made[application.namespace] = HelloWorld(name, _helloworld(application, application.settings), opts)
        if isinstance(application.settings, BookinfoSettings):
            made[application.namespace] = Bookinfo(name, _bookinfo(application, application.settings), opts)
    return made


def _helloworld(application: Application, settings: HelloWorldSettings) -> HelloWorldArgs:
    stated = settings.model_dump(include={"namespace", "client", "client_image", "hub"})
    return HelloWorldArgs(**_decided(application), **stated)


def _bookinfo(application: Application, settings: BookinfoSettings) -> BookinfoArgs:
    return BookinfoArgs(**_decided(application), **settings.model_dump(include={"namespace", "hub"}))


def _decided(application: Application) -> dict[str, Any]:
    """What topology decided of an application, whichever it is."""
    return {
        "versions": application.versions,
        "labels": dict(application.labels),
        "exported": application.exported,
    }
