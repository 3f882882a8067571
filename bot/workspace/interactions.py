"""The person's side: speaking, clicking, filling in, submitting, running commands.

The browser page and the control API both act through here, so a test does exactly what a click
does. What comes back says whether the app acknowledged; if it did not, the person is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.workspace import payloads
from bot.workspace.blockkit import Surface, elements_of
from bot.workspace.delivery import Delivery, Outcome
from bot.workspace.inputs import InputError, action_of, input_error, typed_value
from bot.workspace.modals import short_id, state_of
from bot.workspace.records import Blocks, Channel, Json, Message, Person, View
from bot.workspace.state import Workspace
from bot.workspace.validate import Refused, check_blocks, check_text, check_view, with_ids

NOT_ANSWERED = "The app did not answer in time. Try again?"
TEXT_MOST = 12_000


class NotPossibleError(Exception):
    """A person cannot do this; the sentence says why. `status` is the HTTP status for it."""

    def __init__(self, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class Interactions:
    """Everything a person can do."""

    def __init__(self, workspace: Workspace, delivery: Delivery) -> None:
        self._workspace = workspace
        self._delivery = delivery

    # speaking

    def say(self, person: Person, channel: Channel, text: str, *, thread_ts: str = "") -> Message:
        """Post what somebody typed."""
        self._must_be_in(person, channel)
        if not text.strip() or len(text) > TEXT_MOST:
            raise NotPossibleError(f"A message has 1 to {TEXT_MOST} characters.")
        if thread_ts and thread_ts not in channel.messages:
            raise NotPossibleError("That thread does not exist.", status=404)
        return self._workspace.post(channel, person.id, self.typed(text), thread_ts=thread_ts)

    def typed(self, text: str) -> str:
        """Typed text as Slack stores it: entities escaped, @names, #channels and addresses as links."""
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        people = {one.name: one.id for one in self._workspace.people.values()}
        groups = {one.handle: one.id for one in self._workspace.groups.values()}

        def mention(found: re.Match[str]) -> str:
            name = found[1].rstrip(".")
            rest = found[1][len(name) :]
            if name in people:
                return f"<@{people[name]}>{rest}"
            if name in groups:
                return f"<!subteam^{groups[name]}|@{name}>{rest}"
            return f"<!{name}>{rest}" if name in {"here", "channel", "everyone"} else found[0]

        def channel(found: re.Match[str]) -> str:
            known = self._workspace.channel(found[1])
            return f"<#{known.id}|{known.name}>" if known else found[0]

        mailed = re.sub(r"(?<![\w.+/@-])([\w.+-]+@[\w-]+(?:\.[\w-]+)+)", r"<mailto:\1|\1>", escaped)
        linked = re.sub(r"(?<![\w/])(https?://[^\s|]+)", r"<\1>", mailed)
        return re.sub(r"(?<![\w&/])#([\w-]+)", channel, re.sub(r"(?<![\w/])@([\w.-]+)", mention, linked))

    # blocks

    async def press(
        self,
        person: Person,
        container: Message | View,
        action_id: str,
        *,
        block_id: str = "",
        raw: object = None,
        values: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Use an interactive element of a message, a modal or a Home tab."""
        blocks = container.blocks
        if isinstance(container, Message):
            blocks = [*blocks, *(b for one in container.attachments for b in one.get("blocks", []))]
        block, element = _find(blocks, action_id, block_id)
        ts = self._workspace.next_ts()
        try:
            if isinstance(container, View):
                self._fill(container, values or {})
                action = action_of(element, block["block_id"], raw=raw, ts=ts)
                _remember(container.state, block, element, raw)
                payload = payloads.view_action(self._workspace, person, container, actions=[action])
            else:
                self._must_see(person, container)
                state = state_of(blocks)
                _fill_state(blocks, state, values or {})
                action = action_of(element, block["block_id"], raw=raw, ts=ts)
                _remember(state, block, element, raw)
                payload = payloads.message_action(
                    self._workspace, person, container, actions=[action], values=state
                )
        except InputError as error:
            raise NotPossibleError(str(error)) from None
        return await self._delivery.interact(payload)

    # modals

    async def submit(self, person: Person, view: View, values: Mapping[str, Any]) -> Outcome:
        """Press a modal's submit button. What is not filled in properly does not reach the app."""
        self._must_be_on_top(person, view)
        try:
            self._fill(view, values)
        except InputError as error:
            raise NotPossibleError(str(error)) from None
        errors = {}
        for block in view.blocks:
            if block["type"] == "input":
                held = view.state.get(block["block_id"], {}).get(block["element"]["action_id"])
                problem = input_error(block, held)
                if problem:
                    errors[block["block_id"]] = problem
        if errors:
            self._workspace.modals.show_errors(view, errors)
            return Outcome(acked=True, payload={"response_action": "errors", "errors": errors})
        payload = payloads.view_submission(self._workspace, person, view)
        outcome = await self._delivery.interact(payload)
        if outcome.acked:
            return self._after_submission(person, view, outcome)
        return outcome

    def _after_submission(self, person: Person, view: View, outcome: Outcome) -> Outcome:
        try:
            self._respond(person, view, outcome.payload)
        except Refused as refused:
            return Outcome(acked=False, payload=refused.to_json(), why=refused.code)
        return outcome

    def _respond(self, person: Person, view: View, answer: Json) -> None:
        modals = self._workspace.modals
        match answer.get("response_action"):
            case None:
                modals.close(view)
            case "clear":
                modals.clear(person.id)
            case "errors":
                errors = answer.get("errors")
                inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
                if not isinstance(errors, dict) or not errors or set(errors) - inputs:
                    raise Refused("invalid_errors")
                if not all(isinstance(value, str) and value for value in errors.values()):
                    raise Refused("invalid_errors")
                modals.show_errors(view, dict(errors))
            case "update":
                modals.update(view, check_view(answer.get("view"), Surface.MODAL))
            case "push":
                modals.push(person.id, check_view(answer.get("view"), Surface.MODAL))
            case _:
                raise Refused("invalid_response_action")

    async def dismiss(self, person: Person, view: View, *, everything: bool) -> Outcome:
        """Close the visible modal, or (`everything`) the whole stack."""
        self._must_be_on_top(person, view)
        whole = everything or bool(view.body.get("clear_on_close"))
        if whole:
            closed = self._workspace.modals.clear(person.id)
        else:
            self._workspace.modals.close(view)
            closed = [view]
        outcome = Outcome(acked=True, payload={})
        for one in closed:
            if one.body.get("notify_on_close"):
                payload = payloads.view_closed(self._workspace, person, one, cleared=whole)
                outcome = await self._delivery.interact(payload)
        return outcome

    # commands and shortcuts

    async def command(self, person: Person, channel: Channel, typed: str) -> Outcome:
        """Run `/command text` typed into a channel (Slack has none in threads)."""
        self._must_be_in(person, channel)
        name, _, text = typed.strip().partition(" ")
        known = next((one for one in self._workspace.seed.app.commands if one.command == name), None)
        if known is None:
            raise NotPossibleError(f"{name} is not a valid command.", status=404)
        text = text.strip()
        sent = self._escaped(text) if known.should_escape else text
        payload = payloads.slash_command(self._workspace, person, channel, name, sent)
        outcome = await self._delivery.command(payload)
        if outcome.acked and outcome.payload:
            self._answer_command(person, channel, outcome.payload)
        return outcome

    async def shortcut(self, person: Person, callback_id: str, message: Message | None) -> Outcome:
        """Run a shortcut, on a message or global."""
        kind = "message" if message else "global"
        offered = self._workspace.seed.app.shortcuts
        if not any(one.callback_id == callback_id and one.type == kind for one in offered):
            raise NotPossibleError(f"The app has no {kind} shortcut {callback_id!r}.", status=404)
        if message is None:
            return await self._delivery.interact(
                payloads.global_shortcut(self._workspace, person, callback_id)
            )
        self._must_see(person, message)
        payload = payloads.message_shortcut(self._workspace, person, callback_id, message)
        return await self._delivery.interact(payload)

    def open_home(self, person: Person) -> None:
        """Open the app's Home tab."""
        channel, _ = self._workspace.direct([person.id, self._workspace.seed.app.bot_user_id])
        event: Json = {"type": "app_home_opened", "user": person.id, "channel": channel.id, "tab": "home"}
        home = self._workspace.modals.homes.get(person.id)
        if home is not None:
            event["view"] = payloads.view_json(self._workspace, home)
        self._workspace.tell("app_home_opened", event)

    def _escaped(self, text: str) -> str:
        """Command text with should_escape: people and channels as <@U123|name> and <#C123|name>."""
        linked = self.typed(text)
        people = self._workspace.people

        def named(found: re.Match[str]) -> str:
            return f"<@{found[1]}|{people[found[1]].name}>"

        return re.sub(r"<@(\w+)>", named, linked)

    def _answer_command(self, person: Person, channel: Channel, answer: Json) -> None:
        try:
            post_answer(self._workspace, channel, person.id, answer)
        except Refused as refused:
            self._workspace.post_ephemeral(
                channel, person.id, f"{self._workspace.seed.app.name}: {refused.code}"
            )

    # rules

    def _fill(self, view: View, values: Mapping[str, Any]) -> None:
        _fill_state(view.blocks, view.state, values)

    def _must_be_in(self, person: Person, channel: Channel) -> None:
        if person.id not in channel.members:
            raise NotPossibleError(f"{person.name} is not in this channel.", status=403)

    def _must_see(self, person: Person, message: Message) -> None:
        channel = self._workspace.channels[message.channel]
        if not self._workspace.may_see(channel, person.id) or message.ephemeral_to not in {"", person.id}:
            raise NotPossibleError(f"{person.name} does not see this message.", status=403)

    def _must_be_on_top(self, person: Person, view: View) -> None:
        stack = self._workspace.modals.stack(person.id)
        if not stack or stack[-1] is not view:
            raise NotPossibleError("This modal is not the one that is open.", status=409)


def post_answer(
    workspace: Workspace, channel: Channel, user: str, answer: Json, *, thread_ts: str = ""
) -> Message:
    """Post what an app answers to a command or a response URL. Raises Refused."""
    blocks: Blocks = answer.get("blocks") or []
    if blocks:
        blocks = with_ids(check_blocks(blocks), make_id=short_id)
    text = check_text(answer.get("text"), has_content=bool(blocks), updating=False)
    if answer.get("response_type") == "in_channel":
        bot = workspace.seed.app.bot_user_id
        return workspace.post(channel, bot, text, blocks=blocks, thread_ts=thread_ts)
    return workspace.post_ephemeral(channel, user, text, blocks=blocks, thread_ts=thread_ts)


def _find(blocks: Blocks, action_id: str, block_id: str) -> tuple[Json, Json]:
    found = [
        (block, element)
        for block in blocks
        if block_id in {"", block.get("block_id")}
        for element in elements_of(block)
        if element.get("action_id") == action_id
    ]
    if not found:
        raise NotPossibleError(f"There is nothing with the action_id {action_id!r} here.", status=404)
    if len(found) > 1:
        raise NotPossibleError(
            f"Several elements have the action_id {action_id!r}; give the block_id.", status=409
        )
    return found[0]


def _fill_state(blocks: Blocks, state: Json, values: Mapping[str, Any]) -> None:
    """Enter raw values, keyed by action_id or by block_id and action_id. Raises InputError."""
    known = {
        (block["block_id"], one["action_id"]): one
        for block in blocks
        for one in elements_of(block)
        if "action_id" in one
    }
    for key, raw in values.items():
        nested = raw if isinstance(raw, dict) and any(key == block for block, _ in known) else None
        wanted = (
            [(key, name, one) for name, one in nested.items()]
            if nested is not None
            else [(block, name, raw) for block, name in known if name == key]
        )
        if not wanted:
            raise InputError(f"There is no input {key!r} here.")
        for block_id, action_id, one in wanted:
            element = known.get((block_id, action_id))
            if element is None:
                raise InputError(f"There is no input {action_id!r} in the block {block_id!r}.")
            state.setdefault(block_id, {})[action_id] = typed_value(element, one)


def _remember(state: Json, block: Json, element: Json, raw: object) -> None:
    held = state.get(block["block_id"], {})
    if element["action_id"] in held:
        held[element["action_id"]] = typed_value(element, raw)
