"""The file by which kubectl, and every library of the API, finds a cluster and enters it."""

from __future__ import annotations

import base64
import json

from gateway.protocols.http.target import address


def configuration(
    *, name: str, host: str, port: int, user: str, secret: str, tls: bool, ca: bytes = b""
) -> str:
    """`secret`: the token, or of a minted `user` the password. `ca`: whom to trust in place of the system's, in PEM."""
    cluster = {"server": address(host, port, tls=tls)}
    if ca:
        cluster["certificate-authority-data"] = base64.b64encode(ca).decode()
    made = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [
            {"name": name, "user": {"username": user, "password": secret} if user else {"token": secret}}
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(made, indent=2) + "\n"
