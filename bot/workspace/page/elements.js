// Interactive elements. A `place` says where one stands: how to act on it, and what was entered so far.

import { byId, h, link, toast } from "./dom.js";
import { post, shared } from "./api.js";
import { textObject } from "./mrkdwn.js";

export const plain = (object) => textObject(object);
const words = (object) => (object ? object.text : "");

// What somebody entered but has not sent, by container and block; it survives redrawing.
const drafts = new Map();
export const draftOf = (key) => drafts.get(key) ?? drafts.set(key, {}).get(key);
export const forget = (key) => drafts.delete(key);
export const forgetAll = () => drafts.clear();

// An updated card or modal may no longer have what a draft was entered into.
export function prune(key, blocks) {
  const draft = drafts.get(key);
  const left = new Set(blocks.map((block) => block.block_id));
  for (const block of Object.keys(draft ?? {})) if (!left.has(block)) delete draft[block];
}

export function makePlace(container, block, state) {
  const draft = draftOf(container.key);
  return {
    container, block,
    held: (element, fallback) => draft[block.block_id]?.[element.action_id] ?? heldByServer(state, block, element) ?? fallback,
    enter: (element, value) => {
      (draft[block.block_id] ??= {})[element.action_id] = value;
    },
    acts: block.type !== "input" || block.dispatch_action === true,
  };
}

function heldByServer(state, block, element) {
  const value = state?.[block.block_id]?.[element.action_id];
  if (!value) return undefined;
  const kept = Object.entries(value).find(([name]) => name !== "type")?.[1];
  if (Array.isArray(kept)) return kept.map((one) => one.value ?? one);
  return kept?.value ?? kept ?? undefined;
}

export function askFirst(confirm) {
  if (!confirm) return Promise.resolve(true);
  const dialog = byId("confirm");
  return new Promise((resolve) => {
    const finish = (answer) => {
      dialog.close();
      resolve(answer);
    };
    const style = confirm.style === "danger" ? "danger" : "primary";
    dialog.replaceChildren(
      h("header", { class: "modal-head" }, h("h2", { id: "confirm-title" }, plain(confirm.title))),
      h("div", { class: "modal-body" }, h("div", { class: "block" }, textObject(confirm.text))),
      h("footer", { class: "modal-foot" },
        h("button", { type: "button", class: "button", testid: "confirm-cancel", on: { click: () => finish(false) } }, plain(confirm.deny)),
        h("button", { type: "button", class: `button ${style}`, testid: "confirm-ok", on: { click: () => finish(true) } }, plain(confirm.confirm))));
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
    dialog.querySelector("[data-testid=confirm-ok]").focus();
  });
}

export async function act(place, element, value, node) {
  if (node?.hasAttribute("aria-busy") || !(await askFirst(element.confirm))) return;
  if (element.url) window.open(element.url, "_blank", "noopener");
  node?.classList.add("busy");
  node?.setAttribute("aria-busy", "true");
  try {
    const answer = await post("actions", {
      ...place.container.address, action_id: element.action_id, block_id: place.block.block_id,
      value, values: draftOf(place.container.key),
    });
    if (!answer.acked) fail(node, `${shared.state.app.name} did not answer (${answer.why}). Try again.`);
  } catch (error) {
    fail(node, error.message);
  } finally {
    node?.classList.remove("busy");
    node?.removeAttribute("aria-busy");
  }
}

function fail(node, text) {
  node?.classList.add("failed");
  node?.setAttribute("title", text);
  toast(`⚠ ${text}`, "bad");
}

const common = (element) => ({ testid: `action-${element.action_id}`, name: element.action_id });
// An input block's label names what stands in it; elsewhere only what it offers can.
const named = (element, place, name) => (place.block.type === "input" ? undefined : words(element.placeholder) || name);

function changed(place, element, value, node) {
  place.enter(element, value);
  if (place.acts) act(place, element, value, node);
}

function button(element, place) {
  const node = h("button", { type: "button", class: `button ${element.style ?? ""}`, ...common(element), "aria-label": element.accessibility_label }, plain(element.text));
  node.addEventListener("click", () => act(place, element, undefined, node));
  return node;
}

function options(element) {
  const one = (option) => h("option", { value: option.value }, words(option.text));
  const groups = (element.option_groups ?? []).map((group) => h("optgroup", { label: words(group.label) }, group.options.map(one)));
  return [...(element.options ?? []).map(one), ...groups];
}

const peopleOptions = () => [...shared.people.values()].filter((one) => !one.deleted).map((one) => h("option", { value: one.id }, one.real_name));
const channelOptions = () => [...shared.channels.values()].filter((one) => one.name).map((one) => h("option", { value: one.id }, `#${one.name}`));

function choices(element) {
  if (element.type.includes("users")) return peopleOptions();
  if (element.type.includes("channels") || element.type.includes("conversations")) return channelOptions();
  return options(element);
}

function select(element, place) {
  const hint = words(element.placeholder) || "Choose…";
  const node = h("select", { class: "select", ...common(element), "aria-label": named(element, place, hint) }, h("option", { value: "" }, hint), choices(element));
  node.value = place.held(element, "");
  node.addEventListener("change", () => changed(place, element, node.value, node));
  return node;
}

function many(element, place) {
  const held = new Set(place.held(element, []));
  const node = h("div", { class: "choices many", role: "group", ...common(element), "aria-label": named(element, place, "Choices") });
  for (const option of choices(element).flatMap((one) => (one.tagName === "OPTGROUP" ? [...one.children] : [one]))) {
    const box = h("input", { type: "checkbox", value: option.value, checked: held.has(option.value) });
    box.addEventListener("change", () => {
      const chosen = [...node.querySelectorAll("input:checked")].map((one) => one.value);
      changed(place, element, chosen, node);
    });
    node.append(h("label", { class: "choice" }, box, h("span", {}, option.textContent)));
  }
  return node;
}

function boxes(element, place) {
  const radio = element.type === "radio_buttons";
  const held = place.held(element, radio ? "" : []);
  const node = h("div", { class: "choices", role: radio ? "radiogroup" : "group", ...common(element), "aria-label": named(element, place, "Choices") });
  const group = `${place.container.key}-${place.block.block_id}-${element.action_id}`;
  for (const option of element.options) {
    const checked = radio ? held === option.value : held.includes(option.value);
    const box = h("input", { type: radio ? "radio" : "checkbox", name: group, value: option.value, checked });
    box.addEventListener("change", () => {
      const chosen = [...node.querySelectorAll("input:checked")].map((one) => one.value);
      changed(place, element, radio ? chosen[0] : chosen, node);
    });
    const about = option.description ? h("small", {}, textObject(option.description)) : null;
    node.append(h("label", { class: "choice" }, box, h("span", {}, textObject(option.text), about)));
  }
  return node;
}

function overflow(element, place) {
  const menu = h("div", { class: "menu", role: "menu", hidden: true });
  const node = h("button", { type: "button", class: "button overflow", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": "More actions", ...common(element) }, "⋯");
  const show = (open) => {
    menu.hidden = !open;
    node.setAttribute("aria-expanded", String(open));
    if (open) menu.querySelector("button")?.focus();
  };
  for (const option of element.options) {
    menu.append(h("button", {
      type: "button", role: "menuitem", testid: `option-${option.value}`,
      on: { click: () => {
        show(false);
        act(place, { ...element, url: option.url }, option.value, node);
      } },
    }, plain(option.text), option.description ? h("small", {}, plain(option.description)) : null));
  }
  node.addEventListener("click", () => show(menu.hidden));
  const wrap = h("span", { class: "overflow-wrap" }, node, menu);
  wrap.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !menu.hidden) {
      event.stopPropagation();
      show(false);
      node.focus();
    }
  });
  wrap.addEventListener("focusout", (event) => {
    if (!wrap.contains(event.relatedTarget)) show(false);
  });
  return wrap;
}

const INPUT_TYPES = { email_text_input: "email", url_text_input: "url", number_input: "text", datepicker: "date", timepicker: "time" };

function textInput(element, place) {
  const tag = element.multiline ? "textarea" : "input";
  const node = h(tag, { class: "input", ...common(element), placeholder: words(element.placeholder), "aria-label": named(element, place, INPUT_TYPES[element.type]) });
  if (!element.multiline) node.type = INPUT_TYPES[element.type] ?? "text";
  if (element.type === "number_input") node.inputMode = "decimal";
  if (element.max_length) node.maxLength = element.max_length;
  node.value = place.held(element, "");
  node.addEventListener("input", () => place.enter(element, node.value));
  node.addEventListener("change", () => {
    if (place.acts) act(place, element, node.value, node);
  });
  return node;
}

function moment(element, place) {
  const local = (seconds) => {
    const date = new Date(seconds * 1000);
    return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  };
  const held = place.held(element, "");
  const node = h("input", { type: "datetime-local", class: "input", ...common(element), "aria-label": named(element, place, "Date and time") });
  if (held) node.value = local(Number(held));
  node.addEventListener("change", () => changed(place, element, String(Math.floor(new Date(node.value) / 1000)), node));
  return node;
}

function feedback(element, place) {
  return h("span", { class: "buttons", ...common(element) }, ["positive", "negative"].map((name) => {
    const node = h("button", { type: "button", class: "button" }, plain(element[`${name}_button`].text));
    node.addEventListener("click", () => act(place, element, name, node));
    return node;
  }));
}

export function image(element, size = "") {
  // Pictures of other sites are not loaded: the page makes no request but to the workspace.
  const address = element.image_url ?? "";
  const shown = address.startsWith(`${location.origin}/`) ? h("img", { src: address, alt: element.alt_text, class: size }) : null;
  return shown ?? h("span", { class: `picture ${size}`, title: address, role: "img", "aria-label": element.alt_text }, link(address, [element.alt_text || "picture"]));
}

export function renderElement(element, place) {
  switch (element.type) {
    case "button": case "workflow_button": case "icon_button": return button(element, place);
    case "static_select": case "external_select": case "users_select": case "channels_select": case "conversations_select":
      return select(element, place);
    case "multi_static_select": case "multi_external_select": case "multi_users_select": case "multi_channels_select": case "multi_conversations_select":
      return many(element, place);
    case "overflow": return overflow(element, place);
    case "radio_buttons": case "checkboxes": return boxes(element, place);
    case "plain_text_input": case "email_text_input": case "url_text_input": case "number_input":
      return textInput(element, place);
    case "datepicker": case "timepicker": {
      const node = textInput(element, { ...place, acts: false });
      node.addEventListener("change", () => changed(place, element, node.value, node));
      return node;
    }
    case "datetimepicker": return moment(element, place);
    case "feedback_buttons": return feedback(element, place);
    case "image": return image(element, "small");
    default: return h("span", { class: "unknown" }, `[${element.type}]`);
  }
}
