"""What both corpora of requests share: a row as it is asked, its verdict, and other spellings of it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

from hypothesis import strategies as st

from gateway.model import Effect


def asked(row):
    """The corpus row as a row of `countersign explain`."""
    if "raw" in row:
        return {"raw_b64": base64.b64encode(row["raw"].encode("latin-1")).decode()}
    method, _, path = row["ask"].partition(" ")
    headers = list(row.get("headers", []))
    body = row.get("raw_body")
    if "json" in row:
        headers.append(["Content-Type", row.get("type", "application/json")])
        body = json.dumps(row["json"])
    elif "type" in row:
        headers.append(["Content-Type", row["type"]])
    if "form" in row:
        headers.append(["Content-Type", "application/x-www-form-urlencoded"])
        body = row["form"]
    return {"method": method, "path": path, "headers": headers, "body": body}


def verdict(effects):
    if effects & {Effect.DESTRUCTIVE, Effect.PRIVILEGE}:
        return "block"
    return "allow" if effects <= {Effect.READ, Effect.SESSION} else "hold"


def disagreements(rows, connection):
    """Rows of which the shipped policy thinks otherwise, and what it says."""
    given = [{"id": number, "connection": connection, **asked(row)} for number, row in enumerate(rows)]
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "explain", "--policy", "policies.yaml", "--jsonl"],
        input="\n".join(map(json.dumps, given)),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    answers = {answer["id"]: answer["verdict"] for answer in map(json.loads, done.stdout.splitlines())}
    return [
        (row.get("ask", row.get("raw")), answers[number])
        for number, row in enumerate(rows)
        if answers[number] != row["verdict"]
    ]


def escaped(draw, text, unreserved):
    """With `unreserved` characters escaped here and there, and what is escaped left alone."""
    spelled, left = "", 0
    for each in text:
        left = 2 if each == "%" else left - 1
        plain = each in unreserved and left < 0
        spelled += f"%{ord(each):02x}" if plain and draw(st.booleans()) else each
    return spelled
