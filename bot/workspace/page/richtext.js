// rich_text: everything in it is literal; mentions and links are elements of their own.

import { h, link } from "./dom.js";
import { broadcast, channelMention, dateText, groupMention, userMention } from "./mrkdwn.js";
import { named, withEmoji } from "./emoji.js";
import { code } from "./highlight.js";

function styled(node, style = {}) {
  const marks = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]];
  return marks.reduce((inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner), node);
}

function part(element) {
  switch (element.type) {
    case "text": return styled(element.style?.code ? [element.text] : withEmoji(element.text, { names: false }), element.style);
    case "link": return styled(link(element.url, [element.text || element.url]), element.style);
    case "emoji": return named(element.name);
    case "user": return styled(userMention(element.user_id), element.style);
    case "usergroup": return styled(groupMention(element.usergroup_id), element.style);
    case "channel": return styled(channelMention(element.channel_id), element.style);
    case "broadcast": return broadcast(element.range);
    case "date": {
      const shown = h("time", { title: element.fallback }, dateText(element.timestamp, element.format) ?? element.fallback ?? "");
      return element.url ? link(element.url, [shown]) : styled(shown, element.style);
    }
    case "color": return h("code", {}, element.value);
    default: return h("span", { class: "unknown" }, `[${element.type}]`);
  }
}

const parts = (elements) => elements.map(part);

function list(element) {
  const ordered = element.style === "ordered";
  const props = { class: `rich-list indent-${element.indent ?? 0}` };
  if (ordered && element.offset) props.start = String(element.offset + 1);
  return h(ordered ? "ol" : "ul", props, element.elements.map((item) => h("li", {}, parts(item.elements))));
}

export function richText(block) {
  return block.elements.map((element) => {
    switch (element.type) {
      case "rich_text_section": return h("div", { class: "rich-section" }, parts(element.elements));
      case "rich_text_list": return list(element);
      case "rich_text_quote": return h("blockquote", { class: element.border ? "bordered" : "" }, parts(element.elements));
      case "rich_text_preformatted": {
        const onlyText = element.elements.every((one) => one.type === "text");
        const text = element.elements.map((one) => one.text ?? one.url).join("");
        return h("pre", { class: element.border ? "bordered" : "" },
          !onlyText ? parts(element.elements) : element.language ? code(text, element.language) : withEmoji(text, { names: false }));
      }
      default: return h("div", { class: "unknown" }, `[${element.type}]`);
    }
  });
}
