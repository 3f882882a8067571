"""exec, as an API server has it over WebSocket: the command is run here, as a pod would run it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web

_INPUT, _OUTPUT, _ERRORS, _STATUS = (bytes((channel,)) for channel in range(4))
_INPUT_ENDS = b"\xff\0"


async def executed(request: web.Request) -> web.StreamResponse:
    answer = web.WebSocketResponse(protocols=("v5.channel.k8s.io",))
    await answer.prepare(request)
    takes_input = request.query.get("stdin") == "true"
    process = await asyncio.create_subprocess_exec(
        *request.query.getall("command"),
        stdin=asyncio.subprocess.PIPE if takes_input else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    taking = asyncio.ensure_future(_taken(answer, process))
    await asyncio.gather(
        _given(answer, _OUTPUT, process.stdout),
        _given(answer, _ERRORS, process.stderr),
        return_exceptions=True,
    )
    code = await process.wait()
    taking.cancel()
    status: dict[str, Any] = {"metadata": {}, "status": "Success"}
    if code:
        status |= {
            "status": "Failure",
            "reason": "NonZeroExitCode",
            "message": f"command terminated with non-zero exit code: {code}",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }
    if not answer.closed:
        await answer.send_bytes(_STATUS + json.dumps(status).encode())
        await answer.close()
    return answer


async def _given(answer: web.WebSocketResponse, channel: bytes, stream: asyncio.StreamReader | None) -> None:
    assert stream is not None
    while data := await stream.read(65_536):
        await answer.send_bytes(channel + data)


async def _taken(answer: web.WebSocketResponse, process: asyncio.subprocess.Process) -> None:
    """Input, until it ends; a client that leaves ends the command."""
    async for message in answer:
        if process.stdin is not None and message.data[:1] == _INPUT:
            process.stdin.write(message.data[1:])
        elif process.stdin is not None and message.data == _INPUT_ENDS:
            process.stdin.close()
    process.kill()
