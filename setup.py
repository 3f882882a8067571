"""Compiles the hot loops where a C compiler is at hand; without one the same source runs as Python."""

from __future__ import annotations

from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

HOT = tuple(f"gateway/protocols/postgres/{name}.py" for name in ("frames", "rows", "copy_rows"))

setup(
    ext_modules=cythonize(
        [
            Extension(path.removesuffix(".py").replace("/", "."), [path], optional=True)
            for path in HOT
            if Path(path).exists()
        ],
        language_level=3,
    )
)
