"""Compiles what runs for every row and every command where a C compiler is at hand; without one the same source runs.

`ROWS` are loops over bytes, by Cython with the types of their `.pxd`. `COMMANDS` is the way of a short command, by mypyc
with the types that it has anyway, where what it imports is installed (`pip install --no-build-isolation`, as `make install`
does); no coroutine is among it, since one of mypyc's that is cancelled may end the process. `COUNTERSIGN_PURE=1` leaves everything as Python.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from setuptools import Extension, setup

POSTGRES = "gateway/protocols/postgres"
ROWS = (
    *(f"{POSTGRES}/{name}.py" for name in ("copy_rows", "frames", "rows")),
    "gateway/protocols/mysql/rows.py",
    "gateway/facts/shapes.py",
    "gateway/masking/sift.py",
    "gateway/recorder/lines.py",
)
COMMANDS = (
    *(
        f"gateway/{name}.py"
        for name in ("end", "errand", "gate", "model", "pace", "relay", "sessions", "wire")
    ),
    *(f"gateway/recorder/{name}.py" for name in ("__init__", "chain", "remembered")),
    "gateway/facts/cache.py",
    "gateway/facts/postgres/__init__.py",
    "gateway/masking/scrub.py",
    *(
        f"{POSTGRES}/{name}.py"
        for name in (
            "answers",
            "asking",
            "commands",
            "endings",
            "exchange",
            "inbox",
            "knowing",
            "messages",
            "parameters",
            "plans",
            "reading",
            "refusals",
            "sending",
            "statements",
            "wire",
        )
    ),
)


def extensions() -> list[Extension]:
    if os.environ.get("COUNTERSIGN_PURE"):
        return []
    from Cython.Build import cythonize

    compiled = cythonize(
        [Extension(path.removesuffix(".py").replace("/", "."), [path]) for path in ROWS], language_level=3
    )
    if all(find_spec(name) for name in ("msgspec", "orjson", "uvloop")):
        from mypyc.build import mypycify

        compiled += mypycify([*COMMANDS], opt_level="2", debug_level="0", group_name="gateway_commands")
    for extension in compiled:
        extension.optional = True  # without a compiler the installation goes on
    return compiled


os.chdir(Path(__file__).parent)
setup(ext_modules=extensions())
