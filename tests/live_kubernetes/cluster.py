"""A small API server over TLS, as much of one as kubectl notices, in a thread of its own; it remembers what reached it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import json
import queue
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from ruamel.yaml import YAML

from tests.live_kubernetes import discovery
from tests.live_kubernetes.discovery import RESOURCES, status
from tests.live_kubernetes.executing import executed

PASSWORD = "correct-horse-Staple7"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TABLE = "application/json;as=table"
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "pods": ("Name", "Ready", "Status", "IP", "Age"),
    "secrets": ("Name", "Type", "Data", "Age"),
    "customers": ("Name", "SSN", "Age"),
}


@dataclass
class Cluster:
    credential: str
    port: int = 0
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Method, target and body."""
    headers: list[dict[str, str]] = field(default_factory=list)
    objects: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    """By resource, namespace and name."""
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Logs that are followed wait here before each line but the first."""
    watchers: list[tuple[str, queue.Queue[tuple[str, dict[str, Any]]]]] = field(default_factory=list)
    watched: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Somebody has begun to watch."""
    version: int = 100

    def of(self, method: str, path: str) -> list[bytes]:
        """The bodies of what reached it so."""
        return [body for how, target, body in self.seen if how == method and target.partition("?")[0] == path]

    def put(self, resource: str, kind: str, name: str, *, api: str = "v1", **content: Any) -> None:
        metadata = {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-{resource}-{name}",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            **content.pop("metadata", {}),
        }
        self.store(resource, "shop", {"apiVersion": api, "kind": kind, "metadata": metadata, **content})

    def store(
        self, resource: str, namespace: str, made: dict[str, Any], *, how: str = "MODIFIED"
    ) -> dict[str, Any]:
        self.version += 1
        made["metadata"]["resourceVersion"] = str(self.version)
        self.objects[resource, namespace, made["metadata"]["name"]] = made
        self.announce(resource, how, made)
        return made

    def announce(self, resource: str, how: str, changed: dict[str, Any]) -> None:
        for wanted, waiting in list(self.watchers):
            if wanted == resource:
                waiting.put((how, copy.deepcopy(changed)))

    # Over HTTP.

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._enters])
        app.router.add_get("/version", discovery.version)
        app.router.add_get("/api", discovery.core)
        app.router.add_get("/apis", discovery.groups)
        app.router.add_get("/openapi/v2", discovery.openapi)
        for version, names in RESOURCES.items():
            base = f"/api/{version}" if "/" not in version else f"/apis/{version}"
            app.router.add_get(base, discovery.resources_of(version))
            for name, _, _ in names:
                one = f"{base}/namespaces/{{namespace}}/{name}"
                if name == "namespaces":
                    app.router.add_get(f"{base}/namespaces/{{name}}", self._namespace)
                    continue
                app.router.add_get(f"{base}/{name}", self._list)
                app.router.add_get(one, self._list)
                app.router.add_post(one, self._create)
                app.router.add_get(f"{one}/{{name}}", self._get)
                app.router.add_put(f"{one}/{{name}}", self._update)
                app.router.add_patch(f"{one}/{{name}}", self._update)
                app.router.add_delete(f"{one}/{{name}}", self._delete)
        app.router.add_get("/api/v1/namespaces/{namespace}/pods/{name}/log", self._log)
        app.router.add_get("/api/v1/namespaces/{namespace}/pods/{name}/exec", executed)
        scale = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"
        app.router.add_get(scale, self._scale)
        app.router.add_patch(scale, self._scale)
        return app

    @web.middleware
    async def _enters(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.seen.append((request.method, request.raw_path, await request.read()))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if request.headers.get("Authorization") != f"Bearer {self.credential}":
            return status(401, "Unauthorized", "Unauthorized")
        try:
            answer: web.StreamResponse = await handler(request)
        except web.HTTPNotFound:
            return status(404, "NotFound", "the server could not find the requested resource")
        return answer

    async def _namespace(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": request.match_info["name"]}}
        )

    async def _list(self, request: web.Request) -> web.StreamResponse:
        resource, kind, version = _asked(request)
        found = [
            each
            for (what, namespace, name), each in sorted(self.objects.items())
            if what == resource
            and namespace == request.match_info.get("namespace", namespace)
            and _selected(request, name)
        ]
        if request.query.get("watch", "false") not in {"false", "0"}:
            return await self._watch(request, resource, found)
        if _as_table(request):
            return _answer(request, _table(resource, found))
        return _answer(
            request,
            {
                "kind": f"{kind}List",
                "apiVersion": version,
                "metadata": {"resourceVersion": str(self.version)},
                # As the API server has it: what is in a list does not say what it is.
                "items": [
                    {key: value for key, value in each.items() if key not in {"kind", "apiVersion"}}
                    for each in found
                ],
            },
        )

    async def _watch(
        self, request: web.Request, resource: str, found: list[dict[str, Any]]
    ) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        waiting: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self.watchers.append((resource, waiting))
        await answer.prepare(request)
        if request.query.get("resourceVersion", "0") == "0":
            for each in found:
                waiting.put(("ADDED", each))
        self.watched.release()
        with contextlib.suppress(ConnectionError):
            while True:
                how, changed = await asyncio.to_thread(waiting.get)
                if how == "END":
                    break
                if not _selected(request, changed["metadata"]["name"]):
                    continue
                shown = _table(resource, [changed]) if _as_table(request) else changed
                await answer.write(json.dumps({"type": how, "object": shown}).encode() + b"\n")
        return answer

    async def _get(self, request: web.Request) -> web.StreamResponse:
        resource, _, _ = _asked(request)
        found = self._found(request)
        if found is None:
            return status(404, "NotFound", f'{resource} "{request.match_info["name"]}" not found')
        return _answer(request, _table(resource, [found]) if _as_table(request) else found)

    def _found(self, request: web.Request, resource: str = "") -> dict[str, Any] | None:
        where = request.match_info
        return self.objects.get((resource or _asked(request)[0], where["namespace"], where["name"]))

    async def _create(self, request: web.Request) -> web.StreamResponse:
        resource, _, _ = _asked(request)
        made = await request.json()
        made["metadata"].setdefault("namespace", request.match_info["namespace"])
        made["metadata"].setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        made["metadata"].setdefault("uid", f"uid-{resource}-{made['metadata']['name']}")
        stored = self.store(resource, request.match_info["namespace"], made, how="ADDED")
        return _answer(request, stored, status=201)

    async def _update(self, request: web.Request) -> web.StreamResponse:
        resource, _, _ = _asked(request)
        sent = YAML(typ="safe").load((await request.read()).decode())
        before = self._found(request)
        whole = request.method == "PUT" or before is None
        made = sent if whole else _merged(copy.deepcopy(before), sent)
        made["metadata"].setdefault("namespace", request.match_info["namespace"])
        made["metadata"].setdefault("uid", f"uid-{resource}-{made['metadata']['name']}")
        return _answer(request, self.store(resource, request.match_info["namespace"], made))

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        resource, _, _ = _asked(request)
        gone = self._found(request)
        if gone is None:
            return status(404, "NotFound", "there is none")
        del self.objects[resource, request.match_info["namespace"], request.match_info["name"]]
        self.announce(resource, "DELETED", gone)
        return _answer(
            request,
            {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Success",
                "details": {"uid": gone["metadata"]["uid"]},
            },
        )

    async def _scale(self, request: web.Request) -> web.StreamResponse:
        found = self._found(request, "deployments")
        assert found is not None
        if request.method == "PATCH":
            found["spec"]["replicas"] = (await request.json())["spec"]["replicas"]
            self.store("deployments", "shop", found)
        metadata = {key: found["metadata"][key] for key in ("name", "namespace", "resourceVersion")}
        return _answer(
            request,
            {
                "kind": "Scale",
                "apiVersion": "autoscaling/v1",
                "metadata": metadata,
                "spec": {"replicas": found["spec"]["replicas"]},
            },
        )

    async def _log(self, request: web.Request) -> web.StreamResponse:
        lines = [
            b"starting\n",
            b'{"level": "info", "ssn": "078-05-1120", "mail": "jane@example.com"}\n',
            b"{not json, written by john@example.com\n",
        ]
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        for number, line in enumerate(lines):
            if number and request.query.get("follow") == "true":
                await asyncio.to_thread(self.gate.acquire, timeout=60)
            await answer.write(line)
        return answer

    def end_watches(self) -> None:
        for _, waiting in self.watchers:
            waiting.put(("END", {}))


def _asked(request: web.Request) -> tuple[str, str, str]:
    """Resource, kind and group version."""
    parts = [part for part in request.path.split("/") if part]
    version = parts[1] if parts[0] == "api" else f"{parts[1]}/{parts[2]}"
    name = next(
        part
        for part in parts[2 if parts[0] == "api" else 3 :]
        if part in {each for each, _, _ in RESOURCES[version]} - {"namespaces"}
    )
    return name, next(kind for each, kind, _ in RESOURCES[version] if each == name), version


def _selected(request: web.Request, name: str) -> bool:
    selector = request.query.get("fieldSelector", "")
    return not selector.startswith("metadata.name=") or selector == f"metadata.name={name}"


def _as_table(request: web.Request) -> bool:
    """By what is named first, as the API server takes it where nothing is weighed."""
    return request.headers.get("Accept", "").replace(" ", "").lower().startswith(_TABLE)


def _table(resource: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    columns = _COLUMNS.get(resource, ("Name", "Age"))
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "1"},
        "columnDefinitions": [
            {"name": name, "type": "string", "format": "", "description": name, "priority": 0}
            for name in columns
        ],
        "rows": [
            {
                "cells": [_cell(name, each) for name in columns],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": each["metadata"],
                },
            }
            for each in found
        ],
    }


def _cell(column: str, each: dict[str, Any]) -> Any:
    spec, status = each.get("spec", {}), each.get("status", {})
    return {
        "Name": each["metadata"]["name"],
        "Ready": "1/1",
        "Status": status.get("phase", "Unknown"),
        "IP": status.get("podIP", "<none>"),
        "Type": each.get("type", ""),
        "Data": len(each.get("data") or {}),
        "SSN": spec.get("ssn", ""),
        "Age": "9d",
    }[column]


def _merged(before: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    made = before if isinstance(before, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = _merged(made.get(key), value)
    return made


def _answer(request: web.Request, said: dict[str, Any], *, status: int = 200) -> web.Response:
    answer = web.json_response(said, status=status, headers={"Audit-Id": "a-1"})
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        answer.enable_compression(web.ContentCoding.gzip)
    return answer


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _filled(cluster: Cluster) -> None:
    spec = {"nodeName": "n1", "containers": [{"name": "web", "image": "web:1"}]}
    for number in (1, 2):
        status = {"phase": "Running", "podIP": f"10.0.0.{number}"}
        cluster.put("pods", "Pod", f"web-{number}", spec=spec, status=status)
    secret = {"password": encoded(PASSWORD), "pin": encoded("4711")}
    applied = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": secret}
    cluster.put(
        "secrets",
        "Secret",
        "db",
        type="Opaque",
        data=secret,
        metadata={"annotations": {APPLIED: json.dumps(applied)}},
    )
    cluster.put(
        "configmaps", "ConfigMap", "settings", data={"contact": "jane@example.com", "ssn": "078-05-1120"}
    )
    cluster.put("customers", "Customer", "jane", api="shop.example.com/v1", spec={"ssn": "078-05-1120"})
    cluster.put("deployments", "Deployment", "web", api="apps/v1", spec={"replicas": 2})


@contextlib.contextmanager
def cluster(credential: str, certificate: Path, key: Path) -> Iterator[Cluster]:
    made = Cluster(credential)
    _filled(made)
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(made.app(), shutdown_timeout=0.1)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)

    async def begin() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        made.port = runner.addresses[0][1]

    loop.run_until_complete(begin())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield made
    finally:
        made.end_watches()
        made.gate.release(10)
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
