"""What commands over SSH have in common with others of their shape.

Commands are told apart as shell text. Of file transfer, opening a file may be for another file of the same kind in the
same directory, where that is neither a secret nor a guard; every other operation is about what it names.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace

from gateway.facts.shell import likewise
from gateway.model import Command, Effect, Facts, Shape
from gateway.protocols.ssh.asking import NO_TEXT, OPENS

_NAME = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9 _()+,@-]*(?:\.[A-Za-z0-9][A-Za-z0-9 _()+,@-]*)*(\.[A-Za-z0-9]{1,10})"
)
"""One that says by its ending what kind of file it is, and hides nothing."""
_LONGEST = 500
"""Characters of a path that its facts hold whole."""
_PLAIN = frozenset({Effect.READ, Effect.WRITE})


def shape(command: Command, facts: Facts) -> Shape | None:
    """None where nobody can tell what else is like it."""
    if command.around.startswith(OPENS):
        return _of_a_file(command, facts)
    return likewise.shape(command.text, facts) if command.around != NO_TEXT else None


def _of_a_file(command: Command, facts: Facts) -> Shape | None:
    paths = {each.name for each in facts.resources}
    if len(paths) != 1 or not facts.effects <= _PLAIN:
        return None
    path = paths.pop()
    directory, name = posixpath.split(path)
    ending = _NAME.fullmatch(name)
    before, found, behind = command.text.partition(path)
    if ending is None or not found or path in behind or len(path) > _LONGEST:
        return None
    files, another, below = (
        posixpath.join(directory, each + ending[1]) for each in ("*", "another", "below/another")
    )
    return Shape(
        key=f"{before}{files}{behind}",
        things=tuple(replace(each, name=files) for each in facts.resources),
        words=f"{before}{files}{behind}",
        passes=f"{before}{another}{behind}",
        stops=f"{before}{below}{behind}",
    )
