"""Views: each person's stack of open modals (three at most) and their Home tab.

A view's `hash` changes with every version, so that two updates that race are told apart.
https://docs.slack.dev/surfaces/modals
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from bot.workspace.blockkit import elements_of
from bot.workspace.changes import Changes
from bot.workspace.inputs import default_value
from bot.workspace.records import Json, View
from bot.workspace.validate import Refused, with_ids

MOST_STACKED = 3


def short_id() -> str:
    """What Slack fills in for a missing block_id or action_id."""
    return secrets.token_urlsafe(4)[:5]


def make_hash() -> str:
    return f"{secrets.randbelow(10**10)}.{secrets.token_urlsafe(6)}"


class Modals:
    """All views that are open or published."""

    def __init__(self, *, changes: Changes) -> None:
        self._changes = changes
        self._stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}

    def stack(self, user: str) -> list[View]:
        """The open modals of a person, the visible one last."""
        return list(self._stacks.get(user, []))

    def find(self, view_id: str) -> View | None:
        candidates = [*self.homes.values(), *(view for stack in self._stacks.values() for view in stack)]
        return next((view for view in candidates if view.id == view_id), None)

    def by_external_id(self, external_id: str) -> View | None:
        everything = [*self.homes.values(), *(view for stack in self._stacks.values() for view in stack)]
        return next(
            (view for view in everything if external_id and view.body.get("external_id") == external_id), None
        )

    def open(self, user: str, body: Json) -> View:
        """A new stack with this modal; what was open is gone."""
        self._external_id_is_free(body)
        self._stacks[user] = []
        return self._add(user, body)

    def push(self, user: str, body: Json) -> View:
        """The modal on top of the stack. Raises Refused when three are open."""
        if len(self._stacks.get(user, [])) >= MOST_STACKED:
            raise Refused("push_limit_reached")
        self._external_id_is_free(body)
        return self._add(user, body)

    def update(self, view: View, body: Json, *, expected_hash: str = "") -> None:
        """A new version of an open view. Raises Refused on a stale hash."""
        if expected_hash and expected_hash != view.hash:
            raise Refused("hash_conflict")
        self._external_id_is_free(body, but=view)
        kept = view.state
        view.body = {**body, "blocks": with_ids(body["blocks"], make_id=short_id)}
        view.hash = make_hash()
        view.errors = {}
        view.state = initial_state(view)
        for block_id, actions in view.state.items():
            for action_id, value in actions.items():
                before = kept.get(block_id, {}).get(action_id)
                # What a person has typed survives an update if it is still the same input.
                if before is not None and before.get("type") == value.get("type"):
                    actions[action_id] = before
        self._changed(view)

    def publish(self, user: str, body: Json, *, expected_hash: str = "") -> View:
        """The person's Home tab. Raises Refused on a stale hash."""
        home = self.homes.get(user)
        if home is not None:
            self.update(home, body, expected_hash=expected_hash)
            return home
        view = self._make(user, body, kind="home")
        self.homes[user] = view
        self._changed(view)
        return view

    def close(self, view: View) -> None:
        """Take one modal off its person's stack; the one below shows again."""
        stack = self._stacks.get(view.owner, [])
        if view in stack:
            stack.remove(view)
        self._changed(view)

    def clear(self, user: str) -> list[View]:
        """Close all modals of a person; they are returned, top first."""
        closed = self._stacks.pop(user, [])
        self._changes.note("view", user=user, view="")
        return closed[::-1]

    def show_errors(self, view: View, errors: dict[str, str]) -> None:
        view.errors = errors
        self._changed(view)

    def _external_id_is_free(self, body: Json, *, but: View | None = None) -> None:
        other = self.by_external_id(body.get("external_id", ""))
        if other is not None and other is not but:
            raise Refused("duplicate_external_id")

    def _add(self, user: str, body: Json) -> View:
        stack = self._stacks.setdefault(user, [])
        view = self._make(user, body, kind="modal")
        if stack:
            view.root_id = stack[0].id
            view.previous_id = stack[-1].id
        stack.append(view)
        self._changed(view)
        return view

    def _make(self, user: str, body: Json, *, kind: str) -> View:
        view_id = "V0" + secrets.token_hex(5).upper()
        view = View(
            id=view_id,
            kind="home" if kind == "home" else "modal",
            owner=user,
            body={**body, "blocks": with_ids(body["blocks"], make_id=short_id)},
            hash=make_hash(),
            root_id=view_id,
        )
        view.state = initial_state(view)
        return view

    def _changed(self, view: View) -> None:
        self._changes.note("home" if view.kind == "home" else "view", user=view.owner, view=view.id)


def initial_state(view: View) -> Json:
    """`state.values` of a view nobody has touched."""
    return state_of(view.blocks)


def state_of(blocks: list[Json], *, initial: Callable[[Json], Json | None] = default_value) -> Json:
    """`state.values` of blocks with their initial values."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            value = initial(element)
            if value is not None:
                values.setdefault(block["block_id"], {})[element["action_id"]] = value
    return values
