"""How people are named: by an e-mail address, in lower case, of a form about which nobody can disagree."""

from __future__ import annotations

import re
from collections.abc import Collection

PERSON = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*")
PERSON_CHARACTERS = 254


class PersonUnclear(Exception):
    """What a provider says names nobody whom this gateway could know; the message goes on after the provider's name."""


def is_person(name: str) -> bool:
    return len(name) <= PERSON_CHARACTERS and PERSON.fullmatch(name) is not None


def person_of(named: Collection[str], domains: Collection[str] = ()) -> str:
    """The person whom a provider names. Raises `PersonUnclear`.

    `domains` are those whose addresses it may vouch for; none is any.
    """
    if len(named) != 1:
        raise PersonUnclear("does not say which e-mail address is yours.")
    person = next(iter(named)).lower()
    # Lower case of what is not ASCII may be ASCII; nobody becomes another by it.
    if not next(iter(named)).isascii() or not is_person(person):
        raise PersonUnclear("names you by what is no e-mail address.")
    if domains and person.rpartition("@")[2] not in domains:
        raise PersonUnclear("may not vouch for addresses of your domain here.")
    return person
