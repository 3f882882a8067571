"""The identity provider of `provider.mjs`, started on loopback."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

HERE = Path(__file__).parent
MODULES = Path(sys.prefix) / "idp" / "node_modules"
NODE = Path(sys.prefix) / "bin" / "node"
CLIENT, SECRET = "countersign-gateway", "the client's own secret & more: %+"


@asynccontextmanager
async def identity_provider(redirect: str) -> AsyncIterator[str]:
    """Its issuer. It ends when nobody holds its standard input any more."""
    assert MODULES.is_dir(), "`make install-test` installs the identity provider that these tests log in at"
    process = await asyncio.create_subprocess_exec(
        NODE,
        HERE / "provider.mjs",
        MODULES,
        CLIENT,
        SECRET,
        redirect,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            if line.startswith(b"http"):
                break
        yield line.decode().strip()
    finally:
        process.stdin.close()
        await process.wait()
