// Messages: one node per message, redrawn only when its JSON changed, so a click never lands on a moved button.

import { avatar, clock, dayOf, exactly, h, reconcile, redraw, toast } from "./dom.js";
import { get, personName, post, shared } from "./api.js";
import { mrkdwn } from "./mrkdwn.js";
import { icon, named } from "./emoji.js";
import { renderBlocks } from "./blocks.js";
import { prune } from "./elements.js";

const QUICK = ["eyes", "white_check_mark", "+1"];
const TOGETHER_SECONDS = 300;

export class MessageList {
  constructor(list, scroller, { inThread, onThread }) {
    this.list = list;
    this.scroller = scroller;
    this.inThread = inThread;
    this.onThread = onThread;
    this.drawn = new Map();
    this.open = new Set();
  }

  clear() {
    this.drawn.clear();
    this.list.replaceChildren();
  }

  show(channel, messages, { toEnd = false } = {}) {
    const room = this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
    const atEnd = toEnd || room < 80;
    const kept = new Map();
    const nodes = [];
    let before = null;
    for (const message of messages) {
      const day = dayOf(message.ts);
      if (!this.inThread && (!before || dayOf(before.ts) !== day)) nodes.push(this.reuse(kept, `day-${day}`, day, () => h("li", { class: "day" }, h("span", {}, day))));
      const compact = Boolean(before) && goesOn(before, message) && !(this.inThread && before === messages[0]);
      const key = JSON.stringify([message, compact, shared.me]);
      nodes.push(this.reuse(kept, message.ts, key, () => this.draw(channel, message, compact)));
      if (this.inThread && message === messages[0] && messages.length > 1) {
        const said = `${messages.length - 1} ${messages.length === 2 ? "reply" : "replies"}`;
        nodes.push(this.reuse(kept, "count", said, () => h("li", { class: "day" }, h("span", {}, said))));
      }
      before = message;
    }
    this.drawn = kept;
    // What stood there before somebody came is not read out to them; what comes later is.
    this.list.setAttribute("aria-live", toEnd ? "off" : "polite");
    redraw(this.list, () => reconcile(this.list, nodes));
    if (atEnd) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  reuse(kept, id, key, make) {
    const old = this.drawn.get(id);
    const entry = old && old.key === key ? old : { key, node: make() };
    kept.set(id, entry);
    return entry.node;
  }

  draw(channel, message, compact) {
    const person = shared.people.get(message.user);
    const container = { key: message.ts, address: { channel, ts: message.ts } };
    prune(message.ts, message.blocks ?? []);
    const raw = h("pre", { class: "raw", hidden: true, testid: `raw-${message.ts}` });
    if (this.open.has(message.ts)) inspect(raw, message);
    const name = h("div", { class: "byline" },
      h("strong", {}, personName(message.user)),
      person?.is_bot ? h("span", { class: "badge" }, "app") : null,
      h("time", { title: exactly(message.ts) }, clock(message.ts)));
    return h("li", { class: `message ${compact ? "compact" : ""} ${message.is_ephemeral ? "ephemeral" : ""}`, testid: `message-${message.ts}`, id: `m-${this.inThread ? "t-" : ""}${message.ts}`, tabindex: "-1" },
      h("div", { class: "gutter" }, compact ? h("time", { class: "side-time", title: exactly(message.ts) }, clock(message.ts)) : avatar(person)),
      h("div", { class: "content" },
        message.is_ephemeral ? h("p", { class: "only-you" }, icon("eyes"), " Only visible to you · ", this.dismiss(channel, message)) : null,
        compact ? null : name,
        this.body(message, container),
        this.files(message),
        this.reactions(channel, message),
        this.threadLine(message),
        raw),
      this.tools(channel, message, raw));
  }

  body(message, container) {
    const view = { container };
    const nodes = [];
    if (message.blocks?.length) nodes.push(h("div", { class: "blocks" }, renderBlocks(message.blocks, view)));
    else if (message.text) nodes.push(h("div", { class: message.subtype === "channel_join" ? "text notice" : "text" }, mrkdwn(message.text)));
    for (const one of message.attachments ?? []) {
      nodes.push(h("div", { class: "attachment" }, one.blocks ? renderBlocks(one.blocks, view) : mrkdwn(one.text ?? one.fallback ?? "")));
    }
    if (message.edited) nodes.push(h("small", { class: "edited", title: exactly(message.edited.ts) }, "edited"));
    return nodes;
  }

  files(message) {
    return (message.files ?? []).map((file) => {
      const pre = h("pre", {}, file.preview ?? "");
      const more = file.preview_is_truncated ? h("button", { type: "button", class: "textlink", testid: `file-${file.id}`, on: { click: async () => {
        pre.textContent = (await get(`files/${file.id}`)).content;
        more.remove();
      } } }, "Show all") : null;
      const size = file.size < 1024 ? `${file.size} bytes` : `${(file.size / 1024).toFixed(1)} kB`;
      return h("div", { class: "file" },
        h("div", { class: "file-head" }, icon("page", "soft"), h("strong", {}, file.title || file.name), h("small", {}, size)), pre, more);
    });
  }

  reactions(channel, message) {
    if (!message.reactions?.length) return null;
    return h("div", { class: "reactions" }, message.reactions.map((one) => h("button", {
      type: "button", class: one.users.includes(shared.me) ? "reaction mine" : "reaction", title: `${one.users.map(personName).join(", ")} reacted with :${one.name}:`,
      on: { click: () => this.react(channel, message, one.name) },
    }, named(one.name), " ", String(one.count))));
  }

  threadLine(message) {
    if (this.inThread || !message.reply_count) return null;
    return h("button", { type: "button", class: "thread-line", testid: `thread-${message.ts}`, on: { click: () => this.onThread(message.ts) } },
      h("span", { class: "faces" }, message.reply_users.slice(0, 4).map((one) => avatar(shared.people.get(one), "tiny"))),
      h("strong", {}, `${message.reply_count} ${message.reply_count === 1 ? "reply" : "replies"}`),
      h("span", { class: "faint" }, `last at ${clock(message.latest_reply)}`));
  }

  dismiss(channel, message) {
    return h("button", { type: "button", class: "textlink", testid: `dismiss-${message.ts}`, on: { click: () => post("messages/delete", { channel, ts: message.ts }).catch((error) => toast(error.message, "bad")) } }, "Dismiss");
  }

  react(channel, message, name) {
    post("reactions", { channel, ts: message.ts, name }).catch((error) => toast(error.message, "bad"));
  }

  tools(channel, message, raw) {
    const tool = (label, sign, testid, run) => h("button", { type: "button", class: "tool", "aria-label": label, title: label, testid, on: { click: run } }, sign);
    const shortcuts = shared.state.app.shortcuts.filter((one) => one.type === "message");
    return h("div", { class: "tools" },
      message.is_ephemeral ? null : QUICK.map((name) => tool(`React with :${name}:`, named(name), `react-${name}-${message.ts}`, () => this.react(channel, message, name))),
      this.inThread || message.is_ephemeral ? null : tool("Reply in thread", icon("speech"), `reply-${message.ts}`, () => this.onThread(message.thread_ts ?? message.ts)),
      shortcuts.map((one) => tool(one.name, icon("bolt"), `shortcut-${one.callback_id}-${message.ts}`, async () => {
        const answer = await post("shortcuts", { callback_id: one.callback_id, channel, ts: message.ts }).catch((error) => ({ notice: error.message }));
        if (answer.notice) toast(`⚠ ${answer.notice}`, "bad");
      })),
      tool("Show the message's JSON", "{ }", `inspect-${message.ts}`, () => {
        inspect(raw, message);
        if (raw.hidden) this.open.delete(message.ts);
        else this.open.add(message.ts);
      }));
  }
}

// The JSON is on the page only while it is looked at.
function inspect(raw, message) {
  raw.hidden = !raw.hidden;
  raw.textContent = raw.hidden ? "" : JSON.stringify(message, null, 2);
}

function goesOn(before, message) {
  return before.user === message.user && !before.is_ephemeral && !message.is_ephemeral && !message.blocks?.length &&
    Number(message.ts) - Number(before.ts) < TOGETHER_SECONDS;
}
