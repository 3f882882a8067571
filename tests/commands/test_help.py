"""What `--help` says of each verb and action."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator

import pytest

from gateway.__main__ import VERBS, main, parser_of
from gateway.commands.help import EXAMPLES, EXIT_CODES


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _parsers(each)


PARSERS = {each.prog: each for each in _parsers(parser_of(VERBS))}


@pytest.mark.parametrize("verb", VERBS)
def test_help_helps_with_examples_that_can_be_called(capsys, verb) -> None:
    with pytest.raises(SystemExit) as left:
        main([verb, "--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    for example in EXAMPLES[verb]:
        assert f"  {example}\n" in out
        words = shlex.split(re.split(r" [|<>] ", example)[0])
        assert parser_of([verb]).parse_args(words[1:]).verb == verb


def test_help_lists_every_verb(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(f"    {verb}" in out for verb in VERBS)


@pytest.mark.parametrize("called", PARSERS)
def test_help_says_what_each_argument_is_and_takes(called) -> None:
    assert PARSERS[called].description
    for action in PARSERS[called]._actions:
        if not isinstance(action, argparse._SubParsersAction):
            assert action.help, f"{called}: {action.dest} has no help"
            # `--policy POLICY` says nothing of what has to stand there.
            named = action.metavar is not None or action.choices is not None
            assert named or action.nargs == 0, f"{called}: {action.dest} does not say what it takes"


def test_exit_codes_are_told_of_verbs_and_actions_that_there_are() -> None:
    assert {f"countersign {called}" for called in EXIT_CODES} <= PARSERS.keys()
