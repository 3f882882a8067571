// Block Kit to nodes. What this page does not know is named in its place instead of being left out.

import { h, link } from "./dom.js";
import { icon } from "./emoji.js";
import { textObject } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { markdown } from "./markdown.js";
import { image, makePlace, plain, renderElement } from "./elements.js";

const SIGNS = { info: "info", warning: "warning", error: "stop", success: "check", default: "info" };

function section(block, place) {
  const body = h("div", { class: "section-body" });
  if (block.text) body.append(h("div", { class: "section-text" }, textObject(block.text)));
  if (block.fields) body.append(h("div", { class: "fields" }, block.fields.map((one) => h("div", { class: "field" }, textObject(one)))));
  const accessory = block.accessory ? h("div", { class: "accessory" }, renderElement(block.accessory, place)) : null;
  return h("div", { class: "section" }, body, accessory);
}

function context(block) {
  return h("div", { class: "context" }, block.elements.map((one) =>
    one.type === "image" ? image(one, "tiny") : h("span", { class: "context-item" }, textObject(one))));
}

function input(block, place, errors) {
  const id = `${place.container.key}-${block.block_id}`;
  const element = renderElement(block.element, place);
  const grouped = ["checkboxes", "radio_buttons"].includes(block.element.type) || block.element.type.startsWith("multi_");
  element.setAttribute("aria-describedby", `${id}-about`);
  element.setAttribute(grouped ? "aria-labelledby" : "id", grouped ? `${id}-label` : id);
  const error = errors?.[block.block_id];
  if (error) element.setAttribute("aria-invalid", "true");
  const optional = block.optional ? h("small", { class: "optional" }, " (optional)") : null;
  return h("div", { class: `field-input ${error ? "has-error" : ""}` },
    h("label", { id: `${id}-label`, for: grouped ? undefined : id }, plain(block.label), optional),
    element,
    h("div", { id: `${id}-about` },
      error ? h("p", { class: "error", role: "alert", testid: `error-${block.block_id}` }, error) : null,
      block.hint ? h("p", { class: "hint" }, textObject(block.hint)) : null));
}

function cell(one) {
  if (one.type === "rich_text") return richText(one);
  return [one.text ?? String(one.value ?? "")];
}

function table(block) {
  const [head, ...rows] = block.rows;
  const align = (at) => `align-${block.column_settings?.[at]?.align ?? "left"} ${block.column_settings?.[at]?.is_wrapped ? "wrap" : ""}`;
  return h("div", { class: "table-scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, head.map((one, at) => h("th", { class: align(at), scope: "col" }, cell(one))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((one, at) => h("td", { class: align(at) }, cell(one))))))));
}

function card(block, place) {
  return h("div", { class: "card" },
    block.title ? h("strong", {}, textObject(block.title)) : null,
    block.subtitle ? h("small", {}, textObject(block.subtitle)) : null,
    block.body ? h("div", {}, textObject(block.body)) : null,
    block.actions ? h("div", { class: "actions" }, block.actions.map((one) => renderElement(one, place))) : null);
}

function container(block, view) {
  const title = block.title ? textObject(block.title) : "";
  const inner = h("div", {}, renderBlocks(block.child_blocks, view));
  if (!block.is_collapsible) return h("div", { class: "card" }, h("strong", {}, title), inner);
  return h("details", { class: "card", open: !block.default_collapsed }, h("summary", {}, title), inner);
}

function render(block, view) {
  const place = makePlace(view.container, block, view.state);
  switch (block.type) {
    case "section": return section(block, place);
    case "header": return h("div", { class: "header-block", role: "heading", "aria-level": "3" }, textObject(block.text));
    case "divider": return h("hr", { class: "divider" });
    case "context": return context(block);
    case "context_actions": case "actions": return h("div", { class: "actions" }, block.elements.map((one) => renderElement(one, place)));
    case "input": return input(block, place, view.errors);
    case "image": return h("figure", {}, block.title ? h("figcaption", {}, plain(block.title)) : null, image(block));
    case "rich_text": return h("div", { class: "rich" }, richText(block));
    case "markdown": return h("div", { class: "markdown" }, markdown(block.text));
    case "table": return table(block);
    case "alert": return h("div", { class: `alert alert-${block.level ?? "default"}`, role: "note" }, icon(SIGNS[block.level ?? "default"]), h("span", {}, textObject(block.text)));
    case "card": return card(block, place);
    case "carousel": return h("div", { class: "carousel" }, block.elements.map((one) => card(one, place)));
    case "container": return container(block, view);
    case "task_card": return h("div", { class: "card" }, h("strong", {}, block.title), ` · ${block.status}`);
    case "plan": return h("div", { class: "card" }, h("strong", {}, block.title), (block.tasks ?? []).map((one) => render(one, view)));
    case "video": return h("div", { class: "card" }, link(block.video_url, [plain(block.title)]));
    default: return h("div", { class: "unknown" }, `[${block.type} block]`);
  }
}

export function renderBlocks(blocks, view) {
  return blocks.map((block) => h("div", { class: "block", "data-block-id": block.block_id }, render(block, view)));
}
