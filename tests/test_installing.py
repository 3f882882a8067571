"""`make` on a machine that lacks something: it says what, and leaves nothing that the next one would trip over."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make` reads of a clone, at a path with a blank."""
    place = tmp_path / "a clone"
    place.mkdir()
    for name in ("Makefile", "requirements.lock", "setup.py", "pyproject.toml"):
        shutil.copy(HOUSE / name, place)
    return place


def python(clone: Path, script: str) -> str:
    file = clone / "python"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return f"PYTHON={file.name}"


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", ".venv/bin/python", *arguments],
        cwd=clone,
        env={"PATH": f"{clone}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_old_python_is_told_from_a_new_one_before_anything_is_made(clone):
    done = make(clone, python(clone, 'test "$1" != -c'))
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stderr
    assert "PYTHON=python3.11" in done.stderr
    assert not (clone / ".venv").exists()


def test_half_of_an_environment_is_not_taken_for_a_whole_one(clone):
    """Debian's Python without python3-venv makes the directory, and then fails."""
    without_pip = (
        'test "$1" = -c || { mkdir -p .venv/bin; touch .venv/bin/python; echo no ensurepip >&2; exit 1; }'
    )
    done = make(clone, python(clone, without_pip))
    assert done.returncode != 0
    assert "no ensurepip" in done.stderr
    assert not (clone / ".venv").exists()
