// Slack's mrkdwn to nodes. Knows what was escaped: `&lt;!channel&gt;` is text and never becomes a mention.

import { h, link } from "./dom.js";
import { shared, personName } from "./api.js";
import { withEmoji } from "./emoji.js";

const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

const mention = (text, own = false) => h("span", { class: own ? "mention mention-me" : "mention" }, text);

export const userMention = (id) => mention(`@${personName(id)}`, id === shared.me);
export const groupMention = (id) => mention(`@${shared.groups.get(id)?.handle ?? id}`);
export const channelMention = (id) => mention(`#${shared.channels.get(id)?.name ?? id}`);
export const broadcast = (range) => mention(`@${range}`, true);

const shapes = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { hour: "2-digit", minute: "2-digit" },
  time_secs: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

function pretty(date, shape) {
  const days = Math.round((new Date(date).setHours(0, 0, 0, 0) - new Date().setHours(0, 0, 0, 0)) / 864e5);
  const near = { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
  return near ?? new Intl.DateTimeFormat(undefined, shapes[shape]).format(date);
}

function ago(date) {
  const seconds = (date - Date.now()) / 1000;
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, size] = units.find(([, one]) => Math.abs(seconds) >= one) ?? units[3];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(seconds / size), unit);
}

export function dateText(timestamp, format) {
  const date = new Date(Number(timestamp) * 1000);
  if (Number.isNaN(date.getTime())) return null;
  return format.replace(/\{(\w+)\}/g, (all, name) => {
    if (name === "ago") return ago(date);
    if (name === "day_divider_pretty") return pretty(date, "date_long");
    if (name.endsWith("_pretty")) return pretty(date, name.slice(0, -7)) ?? all;
    return shapes[name] ? new Intl.DateTimeFormat(undefined, shapes[name]).format(date) : all;
  });
}

function entity(inside) {
  const bar = inside.indexOf("|");
  const body = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? "" : unescape(inside.slice(bar + 1));
  if (body.startsWith("@")) return userMention(body.slice(1));
  if (body.startsWith("#")) return channelMention(body.slice(1));
  if (body.startsWith("!subteam^")) return groupMention(body.slice(9));
  if (body.startsWith("!date^")) {
    const [, timestamp, format = "", address] = body.split("^");
    const shown = dateText(timestamp, format) ?? label;
    const time = h("time", { title: label }, shown);
    return address ? link(unescape(address), [time]) : time;
  }
  if (body.startsWith("!")) return broadcast(body.slice(1));
  return link(unescape(body), [label || unescape(body)]);
}

const plainEntity = (inside) => unescape(inside.includes("|") ? inside.slice(inside.indexOf("|") + 1) : inside);
const literal = (raw) => unescape(raw.replace(/<([^<>]*)>/g, (_, inside) => plainEntity(inside)));

const MARKS = { "*": "strong", _: "em", "~": "s" };
const OPENS = /[\s([{"'*_~>-]/;
const CLOSES = /[\s)\]}"'*_~.,:;!?<-]/;

function closing(text, at, mark) {
  for (let end = text.indexOf(mark, at + 1); end > 0; end = text.indexOf(mark, end + 1)) {
    if (text.slice(at, end).includes("\n")) return -1;
    const after = text[end + 1];
    if (end > at + 1 && !/\s/.test(text[end - 1]) && (after === undefined || CLOSES.test(after))) return end;
  }
  return -1;
}

function inline(text, { verbatim }) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (!plain) return;
    const shown = unescape(plain);
    plain = "";
    if (verbatim) {
      nodes.push(...withEmoji(shown));
      return;
    }
    let last = 0;
    for (const found of shown.matchAll(/https?:\/\/[^\s<>"'`]+[^\s<>"'`.,:;!?)\]]/g)) {
      nodes.push(...withEmoji(shown.slice(last, found.index)), link(found[0], [found[0]]));
      last = found.index + found[0].length;
    }
    nodes.push(...withEmoji(shown.slice(last)));
  };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    const before = text[at - 1];
    if (letter === "`") {
      const end = text.indexOf("`", at + 1);
      if (end > at + 1 && !text.slice(at, end).includes("\n")) {
        flush();
        nodes.push(h("code", {}, literal(text.slice(at + 1, end))));
        at = end;
        continue;
      }
    } else if (letter === "<") {
      const end = text.indexOf(">", at);
      if (end > at + 1) {
        flush();
        nodes.push(entity(text.slice(at + 1, end)));
        at = end;
        continue;
      }
    } else if (letter in MARKS && (before === undefined || OPENS.test(before)) && !/\s/.test(text[at + 1] ?? " ")) {
      const end = closing(text, at, letter);
      if (end > 0) {
        flush();
        nodes.push(h(MARKS[letter], {}, inline(text.slice(at + 1, end), { verbatim })));
        at = end;
        continue;
      }
    }
    plain += letter;
  }
  flush();
  return nodes;
}

function paragraphs(text, options) {
  const nodes = [];
  let quote = null;
  text.split("\n").forEach((line, at, lines) => {
    const quoted = /^(&gt;|>) ?/.exec(line);
    if (quoted) {
      quote ??= nodes[nodes.push(h("blockquote")) - 1];
      quote.append(h("div", {}, inline(line.slice(quoted[0].length), options)));
      return;
    }
    quote = null;
    nodes.push(...inline(line, options));
    if (at < lines.length - 1) nodes.push(h("br"));
  });
  return nodes;
}

export function mrkdwn(text, { verbatim = false } = {}) {
  return text.split("```").flatMap((part, at, parts) => {
    if (at % 2 === 1 && at < parts.length - 1) return h("pre", {}, literal(part.replace(/^\n/, "").replace(/\n$/, "")));
    const kept = at % 2 === 1 ? `\`\`\`${part}` : part;
    return paragraphs(at > 0 && at % 2 === 0 ? kept.replace(/^\n/, "") : kept, { verbatim });
  });
}

export function textObject(object) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, { verbatim: object.verbatim === true });
  return object.emoji === false ? [object.text] : withEmoji(object.text);
}
