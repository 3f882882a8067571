"""The Python source of a module that may be compiled, so that tests can hold both to the same."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def uncompiled(module: ModuleType) -> ModuleType:
    """The same module, run from its source."""
    assert module.__file__ is not None
    name = module.__name__.rpartition(".")[2]
    as_python = f"{name}_as_python"
    spec = importlib.util.spec_from_file_location(as_python, Path(module.__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[as_python] = made
    spec.loader.exec_module(made)
    return made
