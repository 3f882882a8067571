"""What kubectl really sends is read as what was asked of it. A server on loopback stands for the API server."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from gateway.model import Effect
from gateway.protocols.kubernetes.module import read_facts

RESOURCES = {
    "/api/v1": [
        ("pods", "Pod", True),
        ("pods/log", "Pod", True),
        ("pods/exec", "PodExecOptions", True),
        ("pods/ephemeralcontainers", "Pod", True),
        ("pods/eviction", "Eviction", True),
        ("serviceaccounts", "ServiceAccount", True),
        ("serviceaccounts/token", "TokenRequest", True),
        ("secrets", "Secret", True),
        ("configmaps", "ConfigMap", True),
        ("events", "Event", True),
        ("nodes", "Node", False),
        ("namespaces", "Namespace", False),
    ],
    "/apis/apps/v1": [("deployments", "Deployment", True), ("deployments/scale", "Scale", True)],
    "/apis/authorization.k8s.io/v1": [("selfsubjectaccessreviews", "SelfSubjectAccessReview", False)],
}
VERBS = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"]
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "prod"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        },
    },
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "prod"},
    "spec": {"containers": [{"name": "web", "image": "web:1"}]},
    "status": {"phase": "Running"},
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "spec": {}}


def discovery(path):
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [name.split("/")[2] for name in RESOURCES if name.startswith("/apis/")]
        versions = {name: {"groupVersion": f"{name}/v1", "version": "v1"} for name in groups}
        return {
            "kind": "APIGroupList",
            "apiVersion": "v1",
            "groups": [
                {"name": name, "versions": [versions[name]], "preferredVersion": versions[name]}
                for name in groups
            ],
        }
    if path in RESOURCES:
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": path.removeprefix("/apis/").removeprefix("/api/"),
            "resources": [
                {"name": name, "singularName": "", "namespaced": within, "kind": kind, "verbs": VERBS}
                for name, kind, within in RESOURCES[path]
            ],
        }
    return None


def stored(path):
    """The object at a path, by the last name in it."""
    if path.endswith("/scale"):
        return {
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": DEPLOYMENT["metadata"],
            "spec": {"replicas": 2},
            "status": {"replicas": 2},
        }
    return {"deployments": DEPLOYMENT, "pods": POD, "nodes": NODE}.get(path.split("/")[-2])


class Api(BaseHTTPRequestHandler):
    """Answers as far as kubectl needs it, and keeps the very bytes of each request."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        head = self.raw_requestline + str(self.headers).replace("\n", "\r\n").encode()
        self.server.requests.append(head + body)
        path = self.path.partition("?")[0]
        found = discovery(path) or (stored(path) if self.command in {"GET", "PATCH"} else None)
        if found is None and self.command == "GET":
            found = {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []}
        if found is None and body and self.headers.get("Content-Type") == "application/json":
            found = json.loads(body)
        code = 403 if self.headers.get("Upgrade") else 200
        data = json.dumps(found or {"kind": "Status", "apiVersion": "v1", "status": "Success"}).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def api():
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        server.requests = []
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sent(api, tmp_path, arguments, stdin=""):
    """The facts of each request that kubectl sends for a command line."""
    api.requests.clear()
    subprocess.run(
        ["kubectl", f"--server=http://127.0.0.1:{api.server_port}", "--namespace=prod", f"--cache-dir={tmp_path}", *arguments],
        input=stdin,
        env={"HOME": str(tmp_path), "KUBECONFIG": "/dev/null", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    return [read_facts({"raw_b64": base64.b64encode(request).decode()}) for request in api.requests]


def verdict(facts):
    if facts.effects & {Effect.DESTRUCTIVE, Effect.PRIVILEGE}:
        return "block"
    return "allow" if facts.effects <= {Effect.READ, Effect.SESSION} else "hold"


def understood(facts):
    """Completely, or but for an object in protobuf, in which kubectl of 1.32 and later creates some."""
    return facts.complete or "encoding" in facts.attributes["k8s.why_unknown"]


def told(facts):
    """As `verb resource/subresource`, with the verdict."""
    said = facts.attributes
    thing = "/".join(filter(None, [said.get("k8s.resource"), said.get("k8s.subresource")]))
    return f"{said.get('k8s.verb')} {thing}: {verdict(facts)}"


HOST_NETWORK = json.dumps({"spec": {"template": {"spec": {"hostNetwork": True}}}})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("get pods", "list pods: allow"),
        ("get pods -o yaml -l app=web", "list pods: allow"),
        ("get pod web -o json", "get pods: allow"),
        ("get deployments --all-namespaces", "list deployments: allow"),
        ("get secrets", "list secrets: hold"),
        ("get secret db -o yaml", "get secrets: hold"),
        ("logs web", "get pods/log: allow"),
        ("auth can-i delete pods", "create selfsubjectaccessreviews: allow"),
        ("describe pod web", "get pods: allow"),
        ("label pod web a=b", "patch pods: hold"),
        ("annotate deployment web a=b", "patch deployments: hold"),
        ("set image deployment/web web=web:2", "patch deployments: hold"),
        ("rollout restart deployment web", "patch deployments: hold"),
        ("create configmap c --from-literal=a=b", "create configmaps: hold"),
        ("create secret generic s --from-literal=a=b", "create secrets: hold"),
        ("scale deployment web --replicas=3", "patch deployments/scale: hold"),
        ("scale deployment web --replicas=0", "patch deployments/scale: block"),
        ("delete pod web --wait=false", "delete pods: block"),
        ("delete pods -l app=web --wait=false", "list pods: allow"),
        ("delete namespace prod --wait=false", "delete namespaces: block"),
        ("cordon n1", "patch nodes: block"),
        ("taint nodes n1 a=b:NoExecute", "patch nodes: block"),
        (f"patch deployment web --type=merge -p {HOST_NETWORK}", "patch deployments: block"),
        ("exec web -- ls /srv", "create pods/exec: hold"),
        ("exec web -- rm -rf /srv", "create pods/exec: block"),
        ("get pods --as=admin", "list pods: block"),
        ("cp web:/srv/f -", "create pods/exec: hold"),
        ("debug web --image=busybox -- ls", "patch pods/ephemeralcontainers: hold"),
        ("diff -f {deployment}", "patch deployments: hold"),
        ("drain n1 --force", "patch nodes: block"),
        ("create token default", "create serviceaccounts/token: block"),
        ("apply set-last-applied -f {deployment} --create-annotation", "patch deployments: hold"),
        (
            'patch pod web --type=json -p [{"op":"remove","path":"/metadata/finalizers/0"}]',
            "patch pods: block",
        ),
        ("auth can-i --list", "create selfsubjectrulesreviews: allow"),
        ("auth whoami", "create selfsubjectreviews: allow"),
        ("get --raw /api/v1/namespaces/prod/secrets", "list secrets: hold"),
        ("rollout history deployment web", "get deployments: allow"),
        ("rollout pause deployment web", "patch deployments: hold"),
    ],
)
def test_kubectl_is_understood(api, tmp_path, line, expected):
    (tmp_path / "deployment.json").write_text(json.dumps(DEPLOYMENT))
    arguments = line.replace("{deployment}", f"{tmp_path}/deployment.json").split(" -p ")
    words = arguments[0].split() + ([f"-p={arguments[1]}"] if len(arguments) > 1 else [])
    facts = sent(api, tmp_path, words)
    found = [told(each) for each in facts]
    # kubectl of 1.31 and later tries exec by GET first.
    assert expected in [each.replace("get pods/exec", "create pods/exec") for each in found], found
    assert all(map(understood, facts)), [dict(each.attributes) for each in facts]


@pytest.mark.parametrize(
    ("replicas", "spec", "expected"),
    [(2, {}, "hold"), (0, {}, "block"), (2, {"hostPID": True}, "block")],
)
@pytest.mark.parametrize("by", [["apply"], ["apply", "--server-side"], ["replace"], ["create"]])
def test_objects_are_read_however_they_are_written(api, tmp_path, by, replicas, spec, expected):
    thing = json.loads(json.dumps(DEPLOYMENT))
    thing["spec"]["replicas"] = replicas
    thing["spec"]["template"]["spec"] |= spec
    facts = sent(api, tmp_path, [*by, "--validate=false", "-f", "-"], json.dumps(thing))
    assert verdict(max(facts, key=lambda each: ["allow", "hold", "block"].index(verdict(each)))) == expected
    assert all(map(understood, facts)), [dict(each.attributes) for each in facts]
