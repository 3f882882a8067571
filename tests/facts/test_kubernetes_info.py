"""Requests are taken apart as the API server does it: held against a second implementation of its documented rules."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.facts.http import request_of
from gateway.facts.kubernetes.info import InfoUnclear, info_of

VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}


def request_info(method, target):
    """What `RequestInfo` says, step by step as in the API server: by slices of the path, and in its order."""
    url = urlsplit(target)
    info = dict.fromkeys(("group", "version", "namespace", "resource", "name", "subresource"), "")
    info["verb"] = method.lower()
    parts = unquote(url.path).strip("/").split("/")
    if len(parts) < 3 or parts[0] not in {"api", "apis"}:
        return info
    prefix = parts.pop(0)
    if prefix != "api":
        if len(parts) < 3:
            return info
        info["group"] = parts.pop(0)
    info["version"] = parts.pop(0)
    if parts[0] in {"proxy", "watch"}:
        if len(parts) < 2:
            return None
        info["verb"] = parts.pop(0)
    else:
        info["verb"] = VERBS[method]
    if parts[0] == "namespaces" and len(parts) > 1:
        info["namespace"] = parts[1]
        if len(parts) > 2 and parts[2] not in {"status", "finalize"}:
            parts = parts[2:]
    info["resource"] = parts[0]
    if len(parts) > 1:
        info["name"] = parts[1]
    if len(parts) > 2 and info["verb"] != "proxy":
        info["subresource"] = parts[2]
    query = parse_qs(url.query, keep_blank_values=True)
    if not info["name"] and info["verb"] == "get":
        watch = query.get("watch")
        info["verb"] = "watch" if watch and watch[0].lower() not in {"false", "0"} else "list"
        for term in (query.get("fieldSelector") or [""])[0].split(","):
            key, _, value = term.replace("==", "=").partition("=")
            if key == "metadata.name" and value and not info["name"]:
                info["name"] = value
    if not info["name"] and info["verb"] == "delete":
        info["verb"] = "deletecollection"
    return info


def taken_apart(method, target):
    try:
        return info_of(request_of({"method": method, "path": target}))
    except InfoUnclear as why:
        return str(why)


PART = st.sampled_from(
    ["namespaces", "prod", "pods", "secrets", "deployments", "web", "status", "finalize", "scale", "exec", "log", "proxy", "watch", "v1"]
)  # fmt: skip
PATHS = st.builds(
    lambda start, parts, end: start + "".join(f"/{part}" for part in parts) + end,
    st.sampled_from(["/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz"]),
    st.lists(PART, max_size=6),
    st.sampled_from(["", "/"]),
)
QUERIES = st.lists(
    st.sampled_from(
        ["watch", "watch=", "watch=1", "watch=true", "watch=false", "watch=False", "watch=0", "watch=f", "limit=5", "fieldSelector=metadata.name%3Dweb", "fieldSelector=metadata.name==web", "fieldSelector=a%3Db,metadata.name%3Dweb", "fieldSelector=metadata.name!=web"]
    ),
    max_size=3,
)  # fmt: skip


@settings(max_examples=1_000, deadline=None)
@given(st.sampled_from(sorted(VERBS)), PATHS, QUERIES)
def test_every_part_is_what_the_api_server_takes_it_for(method, path, query):
    target = path + ("?" + "&".join(query) if query else "")
    expected = request_info(method, target)
    info = taken_apart(method, target)
    if isinstance(info, str):
        # Only what no API server serves is refused: a path that is cut, or goes on behind a subresource.
        assert expected is None or "goes on" in info
    else:
        assert {name: getattr(info, name) for name in expected} == expected


@pytest.mark.parametrize("path", ["/api/v1/namespaces/prod/secrets", "/apis/apps/v1/deployments/web/scale"])
def test_escapes_are_undone_once(path):
    spelled = "/".join("".join(f"%{ord(each):02X}" for each in part) for part in path.split("/"))
    assert info_of(request_of({"method": "GET", "path": spelled})) == info_of(
        request_of({"method": "GET", "path": path})
    )


@pytest.mark.parametrize(
    "path", ["/api/v1/Secrets", "/api/v1/watch", "/api/v1/pods/web/log/more", "/api/v1/pods?watch=false;x"]
)
def test_what_no_api_server_would_serve_is_refused(path):
    with pytest.raises(InfoUnclear):
        info_of(request_of({"method": "GET", "path": path}))


def test_a_name_that_is_quoted_stays_as_it_is():
    info = info_of(request_of({"method": "GET", "path": "/api/v1/pods/" + quote("a b")}))
    assert info.thing == "-/pods/a b"
