"""What happens while nobody answers a hold: who is called in which order, when people are reminded, whom it goes on to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.model import Step, StepKind
from gateway.policy.conditions import Declared
from gateway.policy.model import AskedGroup
from gateway.policy.reader import Look
from gateway.policy.values import given, group, person

KEYS = ("remind", "escalate", "on_call")
REMINDERS = 10
"""Of one hold at most: more is noise."""


def steps(
    keys: Mapping[str, Look], declared: Declared, asks: tuple[AskedGroup, ...], within: float
) -> tuple[Step, ...]:
    """In the order of time; each before `within` is over."""
    remind = given(keys, "remind", Look.duration, 0.0)
    if remind and within / remind > REMINDERS + 1:
        keys["remind"].fault(
            f"that reminds more than {REMINDERS} times within {within / 60:g} minutes; remind less often"
        )
        return ()
    if remind >= within:
        keys["remind"].fault("nobody is reminded before it is over; remind sooner, or make `within` longer")
    people = given(keys, "on_call", lambda look: _people(look, declared, asks), ())
    if people and not remind:
        keys["on_call"].fault_at_key("`on_call` needs `remind`: how long each has before the next is called")
    found = [
        *_calls(people, remind, within),
        *given(keys, "escalate", lambda look: _escalation(look, declared, asks, within), ()),
    ]
    return tuple(sorted(found, key=lambda step: step.after))


def _calls(people: tuple[str, ...], remind: float, within: float) -> Iterator[Step]:
    """One after the other; when all were called, everybody is reminded."""
    if not remind:
        return
    number, after = 0, 0.0 if people else remind
    while after < within:
        if number < len(people):
            yield Step(after=after, kind=StepKind.CALL, to=people[number])
        else:
            yield Step(after=after, kind=StepKind.REMIND)
        number += 1
        after += remind


def _people(look: Look, declared: Declared, asks: tuple[AskedGroup, ...]) -> tuple[str, ...]:
    groups = [declared.groups[ask.approvers] for ask in asks if ask.approvers in declared.groups]
    members = {member.lower() for each in groups for member in each.members}
    known = len(groups) == len(asks) and not any(each.slack for each in groups)

    def one(look: Look) -> str:
        name = person(look)
        if name and known and name.lower() not in members:
            look.fault(f"{name[:60]} is in no group that is asked, so a call could not be answered")
        return name

    return look.each(one)


def _escalation(
    look: Look, declared: Declared, asks: tuple[AskedGroup, ...], within: float
) -> tuple[Step, ...]:
    """`{to: security, after: 10m}`"""
    keys = look.fields(("to", "after"), required=("to", "after"))
    to = given(keys, "to", lambda look: group(look, declared.groups), "")
    after = given(keys, "after", Look.duration, 0.0)
    if to and to in {ask.approvers for ask in asks}:
        keys["to"].fault(f"`{to}` is asked from the beginning; name another group")
    if after >= within:
        keys["after"].fault("it is over by then; escalate sooner, or make `within` longer")
    return (Step(after=after, kind=StepKind.ESCALATE, to=to),) if to else ()
