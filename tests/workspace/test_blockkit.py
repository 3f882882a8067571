from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.workspace.blockkit import Surface, problems_of
from bot.workspace.validate import Refused, check_blocks, check_view
from tests.workspace.conftest import APPROVALS, actions, button, error_of, modal, mrkdwn, plain, text_input

OPTION = {"text": plain("a"), "value": "a"}


def section(text: str) -> dict:
    return {"type": "section", "text": mrkdwn(text)}


def select(**more) -> dict:
    return {"type": "static_select", "action_id": "s", "options": [OPTION], **more}


GOOD = [
    section("x" * 3000),
    {"type": "section", "fields": [mrkdwn("x" * 2000)] * 10},
    {"type": "section", "text": mrkdwn("x"), "accessory": select(initial_option=OPTION)},
    {"type": "header", "text": plain("x" * 150)},
    {"type": "context", "elements": [mrkdwn("x"), {"type": "image", "image_url": "https://e.com/x.png", "alt_text": "x"}]},
    {"type": "divider"},
    actions(*[button(f"b{n}", value="v" * 2000) for n in range(25)]),
    actions(button("a", style="danger", confirm={"title": plain("t"), "text": mrkdwn("x"), "confirm": plain("y"), "deny": plain("n"), "style": "danger"})),
    actions({"type": "overflow", "action_id": "o", "options": [OPTION] * 2}),
    {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "language": "sql", "border": 0, "elements": [{"type": "text", "text": "SELECT"}]}]},
    {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}], [{"type": "rich_text", "elements": []}]], "column_settings": [None]},
    {"type": "markdown", "text": "x" * 12_000},
    {"type": "image", "image_url": "https://e.com/x.png", "alt_text": "", "title": plain("x")},
    {**text_input(), "optional": True},
    actions(*[button(f"b{n}", url=url) for n, url in enumerate(("https://e.com", "mailto:a@e.com", "slack://open?team=T1", "http://127.0.0.1:8088/archives/C1/p1"))]),
    actions({"type": "datepicker", "action_id": "d", "initial_date": "2028-02-29", "focus_on_load": True}, {"type": "timepicker", "action_id": "t", "initial_time": "23:59"}),
    {**text_input(min_length=3, max_length=3, initial_value="abc", focus_on_load=True)},
    {**text_input(), "element": {"type": "number_input", "action_id": "n", "is_decimal_allowed": False, "min_value": "1", "initial_value": "1", "max_value": "50"}},
]  # fmt: skip

BAD = {
    "an unknown block": {"type": "invented"},
    "no type": {"text": plain("x")},
    "not an object": "x",
    "an unknown field": {"type": "divider", "colour": "red"},
    "an unknown field deep inside": {"type": "section", "text": {**mrkdwn("x"), "size": 3}},
    "a section that is too long": section("x" * 3001),
    "an empty section": section(""),
    "a section without text": {"type": "section"},
    "eleven fields": {"type": "section", "fields": [mrkdwn("x")] * 11},
    "a long field": {"type": "section", "fields": [mrkdwn("x" * 2001)]},
    "a long header": {"type": "header", "text": plain("x" * 151)},
    "a header in mrkdwn": {"type": "header", "text": mrkdwn("x")},
    "eleven context elements": {"type": "context", "elements": [mrkdwn("x")] * 11},
    "a button in a context": {"type": "context", "elements": [button("a")]},
    "twenty-six buttons": actions(*[button(f"b{n}") for n in range(26)]),
    "no elements": actions(),
    "a button that says too much": actions({**button("a"), "text": plain("x" * 76)}),
    "a button without text": actions({"type": "button", "action_id": "a", "text": plain("")}),
    "a long value": actions(button("a", value="x" * 2001)),
    "a long url": actions(button("a", url="https://e.com/" + "x" * 3000)),
    "an unknown style": actions(button("a", style="warning")),
    "a long action_id": actions(button("a" * 256)),
    "the same action_id twice": actions(button("a"), button("a")),
    "a long block_id": {"type": "divider", "block_id": "b" * 256},
    "an input element among actions": actions({"type": "plain_text_input", "action_id": "a"}),
    "six overflow options": actions({"type": "overflow", "action_id": "o", "options": [OPTION] * 6}),
    "a select without options": actions({"type": "static_select", "action_id": "s"}),
    "a select with options and groups": actions(select(option_groups=[{"label": plain("g"), "options": [OPTION]}])),
    "a hundred and one options": actions(select(options=[OPTION] * 101)),
    "an initial option that is not offered": actions(select(initial_option={"text": plain("b"), "value": "b"})),
    "a long option": actions(select(options=[{"text": plain("x" * 76), "value": "a"}])),
    "a long option value": actions(select(options=[{"text": plain("x"), "value": "a" * 151}])),
    "eleven checkboxes": actions({"type": "checkboxes", "action_id": "c", "options": [OPTION] * 11}),
    "a long placeholder": actions(select(placeholder=plain("x" * 151))),
    "a confirm with a long title": actions(button("a", confirm={"title": plain("x" * 101), "text": plain("x"), "confirm": plain("y"), "deny": plain("n")})),
    "a confirm with long text": actions(button("a", confirm={"title": plain("x"), "text": plain("x" * 301), "confirm": plain("y"), "deny": plain("n")})),
    "a confirm with a long button": actions(button("a", confirm={"title": plain("x"), "text": plain("x"), "confirm": plain("y" * 31), "deny": plain("n")})),
    "rich text without elements": {"type": "rich_text"},
    "empty rich text": {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": ""}]}]},
    "a mention in preformatted text": {"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U1"}]}]},
    "a list nine deep": {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "indent": 9, "elements": []}]},
    "long markdown": {"type": "markdown", "text": "x" * 12_001},
    "a table of 101 rows": {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]] * 101},
    "a table of 21 columns": {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}] * 21]},
    "an alert in a message": {"type": "alert", "text": plain("x")},
    "an image without alt_text": {"type": "image", "image_url": "https://e.com/x.png"},
    "an input without a label": {"type": "input", "element": {"type": "plain_text_input", "action_id": "a"}},
    "a long label": {**text_input(), "label": plain("x" * 2001)},
    "a button that runs a script": actions(button("a", url="javascript:alert(1)")),
    "a button that hides a scheme": actions(button("a", url=" JaVaScript:alert(1)")),
    "a button to a file": actions(button("a", url="file:///etc/passwd")),
    "a button to nowhere": actions(button("a", url="/archives/C1")),
    "a button to no host": actions(button("a", url="https://")),
    "an address with a space": actions(button("a", url="https://e.com/a b")),
    "an address that is none": actions(button("a", url="https://[e.com")),
    "a menu that runs a script": actions({"type": "overflow", "action_id": "o", "options": [{**OPTION, "url": "data:text/html,x"}]}),
    "a link that runs a script": {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "link", "url": "javascript:alert(1)"}]}]},
    "a picture by mail": {"type": "image", "image_url": "mailto:a@e.com", "alt_text": "x"},
    "a picture in a context by data": {"type": "context", "elements": [{"type": "image", "image_url": "data:image/png;base64,x", "alt_text": "x"}]},
    "a button with the focus": actions(button("a", focus_on_load=True)),
    "a menu with the focus": actions({"type": "overflow", "action_id": "o", "options": [OPTION], "focus_on_load": True}),
    "an input that asks first": text_input(confirm={"title": plain("t"), "text": plain("x"), "confirm": plain("y"), "deny": plain("n")}),
    "an input that begins with too much": text_input(max_length=3, initial_value="abcd"),
    "an input that takes nothing": text_input(min_length=4, max_length=3),
    "a number of unknown kind": {**text_input(), "element": {"type": "number_input", "action_id": "n"}},
    "a number that is none": {**text_input(), "element": {"type": "number_input", "action_id": "n", "is_decimal_allowed": True, "min_value": "one"}},
    "a number between nothing": {**text_input(), "element": {"type": "number_input", "action_id": "n", "is_decimal_allowed": True, "min_value": "2", "max_value": "1"}},
    "a day that never was": actions({"type": "datepicker", "action_id": "d", "initial_date": "2027-02-29"}),
    "a time that never is": actions({"type": "timepicker", "action_id": "t", "initial_time": "24:00"}),
    "a moment of nine digits": actions({"type": "datetimepicker", "action_id": "m", "initial_date_time": 999_999_999}),
    "more chosen than may be": {"type": "section", "text": mrkdwn("x"), "accessory": {**select(), "type": "multi_static_select", "options": [OPTION, {**OPTION, "value": "b"}], "initial_options": [OPTION, {**OPTION, "value": "b"}], "max_selected_items": 1}},
    "a filter of nothing": actions({"type": "conversations_select", "action_id": "c", "filter": {}}),
    "an input that takes too much": text_input(max_length=3001),
}  # fmt: skip


@pytest.mark.parametrize("block", GOOD, ids=lambda one: one["type"])
def test_what_slack_accepts_is_accepted(block):
    assert problems_of([block], Surface.MESSAGE) == []


@pytest.mark.parametrize("name", BAD)
def test_what_slack_rejects_is_rejected(name):
    assert problems_of([BAD[name]], Surface.MESSAGE)


async def test_the_web_api_says_where_the_problem_is(slack, server):
    assert (
        await error_of(slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[section("x" * 3001)]))
        == "invalid_blocks"
    )
    try:
        await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[{"type": "divider"}, section("")])
    except Exception as refused:
        said = refused.response["response_metadata"]["messages"]
    assert said == ["[ERROR] must be more than 0 characters [json-pointer:/blocks/1/text/text]"]
    assert (
        await error_of(slack.chat_postMessage(channel=APPROVALS, text="x", blocks="{"))
        == "invalid_blocks_format"
    )
    assert server.workspace.channels[APPROVALS].messages == {}


def test_blocks_are_counted_and_their_texts_added_up():
    assert not problems_of([{"type": "divider"}] * 50, Surface.MESSAGE)
    assert problems_of([{"type": "divider"}] * 51, Surface.MESSAGE)
    assert not problems_of([{"type": "divider"}] * 100, Surface.MODAL)
    assert problems_of([{"type": "divider"}] * 101, Surface.HOME)
    assert problems_of([{"type": "divider", "block_id": "a"}] * 2, Surface.MESSAGE)
    assert problems_of([{"type": "markdown", "text": "x" * 7000}] * 2, Surface.MESSAGE)
    with pytest.raises(Refused, match="msg_blocks_too_long"):
        check_blocks([section("x" * 3000)] * 5)


def test_the_same_action_id_may_stand_in_two_blocks():
    assert problems_of([actions(button("a")), actions(button("a"))], Surface.MESSAGE) == []


def test_views_have_limits_of_their_own():
    good = modal(text_input())
    assert check_view(good, Surface.MODAL) == good
    alert = {"type": "alert", "level": "warning", "text": mrkdwn("x" * 200)}
    assert check_view(modal(alert), Surface.MODAL)
    for wrong in (
        modal(text_input(), title=plain("x" * 25)),
        modal(text_input(), submit=plain("x" * 25)),
        modal(text_input(), close=plain("x" * 25)),
        modal(text_input(), private_metadata="x" * 3001),
        modal(text_input(), callback_id="x" * 256),
        modal(text_input(), colour="red"),
        modal(text_input(), submit_disabled=True),
        modal({"type": "markdown", "text": "x"}),
        {key: value for key, value in good.items() if key != "submit"},
        {key: value for key, value in good.items() if key != "title"},
        {**good, "type": "home"},
        None,
        [],
    ):
        with pytest.raises(Refused, match="invalid_arguments"):
            check_view(wrong, Surface.MODAL)
    with pytest.raises(Refused, match="invalid_arguments"):
        check_view({"type": "home", "blocks": [], "submit": plain("x")}, Surface.HOME)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["plain_text", "section", "button", "static_select", "rich_text", "table", "card"])
)
KEYS = st.sampled_from(
    [
        "type",
        "text",
        "elements",
        "accessory",
        "element",
        "options",
        "option_groups",
        "initial_option",
        "rows",
        "block_id",
        "action_id",
        "fields",
        "label",
        "child_blocks",
        "actions",
        "tasks",
        "value",
    ]
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(blocks=ANYTHING | st.lists(ANYTHING, max_size=4), surface=st.sampled_from(Surface))
def test_no_nonsense_breaks_the_validator(blocks, surface):
    problems = problems_of(blocks, surface)
    assert problems or blocks == [] or isinstance(blocks, list)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_good_block_bent_anywhere_never_breaks_the_validator(data):
    import copy

    block = copy.deepcopy(data.draw(st.sampled_from(GOOD)))
    spots = []

    def walk(node):
        children = (
            node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        )
        for key, child in children:
            spots.append((node, key))
            walk(child)

    walk(block)
    node, key = data.draw(st.sampled_from(range(len(spots))).map(lambda n: spots[n]))
    node[key] = data.draw(ANYTHING)
    assert isinstance(problems_of([block], Surface.MESSAGE), list)
