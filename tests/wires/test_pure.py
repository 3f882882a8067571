"""What is compiled where a compiler is at hand does the same where none is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wires_pass_the_same_tests_uncompiled(tmp_path):
    for name in ("gateway", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests" / "wires" / "test_uncompiled.py").write_text(
        "from gateway import gate\n\n\ndef test_nothing_is_compiled():\n    assert gate.__file__.endswith('.py')\n"
    )
    suites = [
        "test_uncompiled.py",
        "test_conformance.py",
        *(f"test_postgres_{name}.py" for name in ("playbook", "extended", "masked")),
        *(f"test_mysql_{name}.py" for name in ("commands", "prepared")),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(f"tests/wires/{name}" for name in suites)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4_000:] + done.stderr[-2_000:]
