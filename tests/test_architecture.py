"""What import-linter cannot see: no protocol is named outside the rooms that are about protocols."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROTOCOLS = {"postgres", "mysql", "ssh", "http", "kubernetes"}
ABOUT_PROTOCOLS = ("protocols", "facts", "demo", "commands")
CORE = [
    path
    for path in sorted((ROOT / "gateway").rglob("*.py"))
    if path.relative_to(ROOT / "gateway").parts[0] not in ABOUT_PROTOCOLS
]


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_protocol_is_named_in_the_core(path: Path) -> None:
    named = [
        f"line {node.lineno}: {node.value!r}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value in PROTOCOLS
    ]
    assert not named


@pytest.mark.parametrize("room", ["utils", "helpers", "common", "services"])
def test_there_is_no_room_for_what_nobody_placed(room: str) -> None:
    assert not list(ROOT.glob(f"gateway/**/{room}*")) + list(ROOT.glob(f"bot/**/{room}*"))


def test_no_coroutine_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setuptools.setup", lambda **_: None)
    monkeypatch.setenv("COUNTERSIGN_PURE", "1")
    monkeypatch.chdir(ROOT)
    setup = runpy.run_path(str(ROOT / "setup.py"))
    compiled = [ROOT / path for path in (*setup["ROWS"], *setup["COMMANDS"])]
    assert len(compiled) > 20
    coroutines = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in compiled
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    ]
    assert not coroutines, (
        "mypyc's coroutines crash when they are cancelled: put these where nothing is compiled"
    )
