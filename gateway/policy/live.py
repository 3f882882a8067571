"""The policy in force, and its replacement without a hole.

A changed file is read once, checked whole and tried on its own examples before it takes effect, by one assignment. A
file that is broken, gone or unreadable changes nothing: the old policy stays in force and the reason is told.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.policy.examples import failures
from gateway.policy.file import PolicyFileError, load
from gateway.policy.model import Policy
from gateway.policy.vocabulary import Vocabulary


class LivePolicy:
    """`current` is the policy in force. Raises `PolicyFileError` when made over a file that is none."""

    def __init__(
        self,
        path: Path,
        *,
        vocabulary: Vocabulary,
        on_error: Callable[[str], None],
    ) -> None:
        """`on_error(message)` hears of each file that did not take the place of the policy in force."""
        self.path = path
        self._vocabulary = vocabulary
        self._on_error = on_error
        self._seen = self._state()
        self.current = self._checked()

    def changed(self) -> bool:
        """The file is not the one that was last read; cheap enough to ask every second."""
        return self._state() != self._seen

    def read(self) -> Policy | PolicyFileError:
        """The file as it is now, checked whole; may be called in another thread, since large files take a while."""
        # Noted before reading: a write that comes while we read is a change again afterwards.
        self._seen = self._state()
        try:
            return self._checked()
        except PolicyFileError as error:
            return error

    def take(self, found: Policy | PolicyFileError) -> str | None:
        """Puts in force what was read. None, or why the old policy stays."""
        if isinstance(found, PolicyFileError):
            message = str(found)
            self._on_error(message)
            return message
        if found.version != self.current.version:
            self.current = found
        return None

    def _checked(self) -> Policy:
        policy = load(self.path, self._vocabulary)
        broken = failures(policy, self._vocabulary)
        if broken:
            raise PolicyFileError(policy.source, broken)
        return policy

    def _state(self) -> tuple[int, int, int, int] | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino
