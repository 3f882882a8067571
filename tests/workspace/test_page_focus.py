"""The page by keyboard alone, in a narrow window and in the dark: who sees it, and where the focus is."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.workspace.conftest import (
    ANA,
    APPROVALS,
    ack_only,
    actions,
    bolt_app,
    button,
    modal,
    mrkdwn,
    on_socket,
    plain,
    text_input,
)
from tests.workspace.seen import browser, page, people, server, visit

__all__ = ("browser", "page", "people", "server")
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

LONG = "m" * 75
OPTION = {"text": plain("One"), "value": "1"}
CONTRAST = """(node) => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => numbers(colour).slice(0, 3).map((one) => one / 255)
    .map((one) => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const style = getComputedStyle(node);
  const [low, high] = [light(style.color), light(style.backgroundColor)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""


async def focused(page) -> str:
    return await page.evaluate("document.activeElement.dataset.testid ?? document.activeElement.id")


async def test_what_is_drawn_anew_keeps_the_focus(server, slack, page):
    blocks = [actions(button("first"), button("second"), block_id="b")]
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=blocks))["ts"]
    await visit(page, server)
    await page.get_by_test_id("action-second").focus()
    await slack.chat_update(
        channel=APPROVALS,
        ts=ts,
        text="x",
        blocks=[{"type": "section", "text": mrkdwn("changed")}, *blocks],
    )
    message = page.get_by_test_id(f"message-{ts}")
    await expect(message).to_contain_text("changed")
    assert await focused(page) == "action-second"
    # A button that has gone leaves the focus on its message, never on the button beside it.
    await slack.chat_update(
        channel=APPROVALS, ts=ts, text="x", blocks=[actions(button("first"), button("third"))]
    )
    await expect(message.get_by_test_id("action-third")).to_be_visible()
    assert await focused(page) == f"message-{ts}"
    await page.get_by_test_id("channel-audit").focus()
    await slack.chat_postMessage(channel=APPROVALS, text="once more")
    await expect(page.get_by_text("once more")).to_be_visible()
    assert await focused(page) == "channel-audit"


async def test_a_modal_gives_the_focus_back_and_shows_what_is_wrong(server, slack, page):
    app = bolt_app(slack)

    async def open_modal(body, client):
        blocks = [text_input("note", "note"), text_input("why", "reason")]
        blocks[0]["optional"] = True
        await client.views_open(trigger_id=body["trigger_id"], view=modal(*blocks))
        await client.chat_update(
            channel=APPROVALS,
            ts=body["message"]["ts"],
            text="x",
            blocks=[actions(button("gate"), button("b"))],
        )

    app.action("gate")(ack=ack_only, lazy=[open_modal])
    app.view("deny")(ack_only)
    await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[actions(button("gate"))])
    async with on_socket(app, server):
        await visit(page, server)
        await page.get_by_test_id("action-gate").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("modal")).to_be_visible()
        await expect(page.get_by_test_id("action-b")).to_be_visible()
        assert await focused(page) == "action-note"
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("error-reason")).to_be_visible()
        assert await focused(page) == "action-why"
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("modal")).to_be_hidden()
        assert await focused(page) == "action-gate"


async def test_a_long_modal_is_read_from_its_top(server, slack, page):
    long = [{"type": "section", "text": mrkdwn("line\n" * 60)} for _ in range(3)]
    await slack.views_open(trigger_id=server.workspace.tickets.trigger(ANA), view=modal(*long, text_input()))
    await visit(page, server)
    await expect(page.get_by_test_id("modal")).to_be_visible()
    assert await focused(page) == "action-reason"
    body = page.locator(".modal-body")
    assert await body.evaluate("(node) => node.scrollTop") == 0
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("error-why")).to_be_visible()
    assert await focused(page) == "action-reason"
    assert await body.evaluate("(node) => node.scrollTop") > 0


async def test_pressing_twice_sends_once(server, slack, page):
    app = bolt_app(slack)
    heard: list[str] = []
    go_on = asyncio.Event()

    async def slowly(ack, body):
        heard.append(body["type"] if "type" in body else body["command"])
        await go_on.wait()
        await ack()

    app.view("deny")(slowly)
    app.action("gate")(slowly)
    app.command("/countersign")(slowly)
    await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[actions(button("gate"))])
    async with on_socket(app, server):
        await visit(page, server)
        await page.get_by_test_id("action-gate").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await page.get_by_test_id("composer").fill("/countersign help")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await slack.views_open(
            trigger_id=server.workspace.tickets.trigger(ANA), view=modal(text_input(initial_value="x"))
        )
        await expect(page.get_by_test_id("modal")).to_be_visible()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("modal")).to_have_class("modal busy")
        go_on.set()
        await expect(page.get_by_test_id("modal")).to_be_hidden()
    assert sorted(heard) == ["/countersign", "block_actions", "view_submission"]


async def test_what_is_typed_comes_back_when_it_could_not_be_sent(server, page):
    await visit(page, server)
    box = page.get_by_test_id("composer")
    await box.fill("/nothing at all")
    await box.press("Enter")
    await expect(page.get_by_test_id("toast")).to_contain_text("not a valid command")
    await expect(box).to_have_value("/nothing at all")
    await box.fill("/count")
    await expect(box).to_have_attribute("aria-expanded", "true")
    chosen = await box.get_attribute("aria-activedescendant")
    assert await page.locator(f"[id='{chosen}']").get_attribute("aria-selected") == "true"
    await box.press("Escape")
    await expect(box).to_have_attribute("aria-expanded", "false")


async def test_a_message_of_trouble_is_above_an_open_modal(server, slack, page):
    opened = modal(actions(button("inside")), text_input())
    await slack.views_open(trigger_id=server.workspace.tickets.trigger(ANA), view=opened)
    await visit(page, server)
    await page.get_by_test_id("action-inside").click()
    # In the top layer, to which the modal came before it.
    await expect(page.locator("#toasts:popover-open")).to_contain_text("did not answer")


async def test_the_longest_names_fit_a_narrow_window(server, slack, page):
    rows = [
        [{"type": "raw_text", "text": each} for each in row]
        for row in (("#", "Agent", "Command"), ("1", LONG, LONG * 2))
    ]
    blocks = [
        {"type": "header", "text": plain(LONG * 2)},
        actions({**button("a"), "text": plain(LONG)}, {"type": "static_select", "action_id": "s", "options": [OPTION]}),
        {"type": "table", "rows": rows, "column_settings": [{"is_wrapped": True}] * 3},
        {"type": "section", "text": mrkdwn(LONG * 4), "accessory": {**button("c"), "text": plain(LONG)}},
    ]  # fmt: skip
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=blocks))["ts"]
    for width in (400, 1280):
        await page.set_viewport_size({"width": width, "height": 860})
        await visit(page, server)
        message = page.get_by_test_id(f"message-{ts}")
        within = await message.bounding_box()
        for one in await message.locator("button:visible, select, th, .section-text").all():
            box = await one.bounding_box()
            assert box["x"] + box["width"] <= within["x"] + within["width"], await one.inner_text()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.set_viewport_size({"width": 400, "height": 860})
    await page.get_by_test_id("app-home").click()
    await expect(page.get_by_test_id("app-home")).to_be_in_viewport(ratio=1)


async def test_a_dangerous_button_can_be_read_in_the_dark(server, slack, page):
    confirm = {"title": plain("Sure?"), "text": mrkdwn("x"), "confirm": plain("Kill"), "deny": plain("No"), "style": "danger"}  # fmt: skip
    await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=[actions(button("a", confirm=confirm))])
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await visit(page, server)
        await page.get_by_test_id("action-a").click()
        assert await page.get_by_test_id("confirm-ok").evaluate(CONTRAST) >= 4.5


async def test_what_stands_outside_of_inputs_has_a_name_too(server, slack, page):
    accessory = {
        "type": "multi_static_select",
        "action_id": "m",
        "options": [OPTION],
        "placeholder": plain("Who"),
    }
    blocks = [
        actions({"type": "static_select", "action_id": "s", "options": [OPTION]}, {"type": "datepicker", "action_id": "d"}, {"type": "datetimepicker", "action_id": "t"}, {"type": "radio_buttons", "action_id": "r", "options": [OPTION]}),
        {"type": "section", "text": mrkdwn("x"), "accessory": accessory},
    ]  # fmt: skip
    ts = (await slack.chat_postMessage(channel=APPROVALS, text="x", blocks=blocks))["ts"]
    await visit(page, server)
    message = page.get_by_test_id(f"message-{ts}")
    for role, name in (("combobox", "Choose…"), ("radiogroup", "Choices"), ("group", "Who")):
        await expect(message.get_by_role(role, name=name, exact=True)).to_be_visible()
    for action_id, name in (("d", "date"), ("t", "Date and time")):
        await expect(message.get_by_test_id(f"action-{action_id}")).to_have_accessible_name(name)


async def test_what_comes_is_read_out_and_what_stood_there_is_not(server, slack, page):
    await slack.chat_postMessage(channel=APPROVALS, text="it stood there")
    await page.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
          const list = document.getElementById("messages");
          window.added = [];
          new MutationObserver((changes) => {
            const nodes = changes.flatMap((change) => [...change.addedNodes]);
            window.added.push(...nodes.map((node) => [list.getAttribute("aria-live"), node.textContent]));
          }).observe(list, { childList: true });
        });"""
    )
    await visit(page, server)
    await expect(page.get_by_text("it stood there")).to_be_visible()
    before = await page.evaluate("window.added")
    assert any("it stood there" in text for _, text in before)
    assert {how for how, _ in before} == {"off"}
    await slack.chat_postMessage(channel=APPROVALS, text="this comes")
    await expect(page.get_by_text("this comes")).to_be_visible()
    [(how, text)] = (await page.evaluate("window.added"))[len(before) :]
    assert how == "polite"
    assert "this comes" in text
