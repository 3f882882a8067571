"""Verdicts that scripted sessions get, and what came of their commands."""

from __future__ import annotations

from gateway.model import Allow, Block, Command
from gateway.wire import CommandAnswered
from tests.wires.playbook import ALLOW, BLOCK, done, ready, row, row_description

ONE_ROW = row_description("n") + row("1") + done("SELECT 1") + ready()


def waits(_command: Command) -> None:
    return None


def blocks(word: str) -> object:
    def judge(command: Command) -> Allow | Block:
        return BLOCK if word in command.text else ALLOW

    return judge


def answered(session) -> list[tuple[str, int, bool]]:
    return [(event.outcome, event.rows, event.failed) for event in session.of(CommandAnswered)]
