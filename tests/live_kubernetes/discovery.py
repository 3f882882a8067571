"""What there is in the cluster, as an API server tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

RESOURCES: Mapping[str, tuple[tuple[str, str, bool], ...]] = {
    "v1": (
        ("namespaces", "Namespace", False),
        ("pods", "Pod", True),
        ("configmaps", "ConfigMap", True),
        ("secrets", "Secret", True),
        ("events", "Event", True),
    ),
    "apps/v1": (("deployments", "Deployment", True),),
    "shop.example.com/v1": (("customers", "Customer", True),),
}
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


def status(code: int, reason: str, message: str) -> web.Response:
    return web.json_response(
        {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
        | {"code": code},
        status=code,
    )


async def version(request: web.Request) -> web.Response:
    return web.json_response(
        {"major": "1", "minor": "32", "gitVersion": "v1.32.4", "platform": "linux/amd64"}
    )


async def core(request: web.Request) -> web.Response:
    return web.json_response({"kind": "APIVersions", "versions": ["v1"]})


async def groups(request: web.Request) -> web.Response:
    found = []
    for version in RESOURCES:
        group, _, plain = version.partition("/")
        if plain:
            told = {"groupVersion": version, "version": plain}
            found.append({"name": group, "versions": [told], "preferredVersion": told})
    return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": found})


def resources_of(version: str) -> Any:
    async def listed(request: web.Request) -> web.Response:
        resources = [
            {"name": name, "singularName": kind.lower(), "namespaced": own, "kind": kind, "verbs": VERBS}
            for name, kind, own in RESOURCES[version]
        ]
        if version == "apps/v1":
            scale = {"name": "deployments/scale", "singularName": "", "namespaced": True, "kind": "Scale"}
            resources.append(
                {**scale, "group": "autoscaling", "version": "v1", "verbs": ["get", "patch", "update"]}
            )
        return web.json_response(
            {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": version,
                "resources": resources,
            }
        )

    return listed


async def openapi(request: web.Request) -> web.Response:
    """Only as kubectl wants it: nothing at all, in Protocol Buffers."""
    wanted = request.headers.get("Accept", "")
    if "proto-openapi" not in wanted:
        return status(406, "NotAcceptable", "only protobuf")
    return web.Response(body=b"", content_type=wanted.partition(",")[0])
