// Building nodes. Text only ever becomes a text node; nothing is parsed as HTML anywhere on this page.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else if (name === "testid") node.dataset.testid = value;
    else if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const byId = (id) => document.getElementById(id);

export function fill(node, ...children) {
  node.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
}

// Links may only lead to the web or to mail; anything else stays text.
export function link(address, children) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return h("span", {}, children);
  }
  if (!["http:", "https:", "mailto:"].includes(url.protocol)) return h("span", {}, children);
  const inside = url.origin === location.origin && url.pathname.startsWith("/archives/");
  return h("a", { href: url.href, target: inside ? undefined : "_blank", rel: "noopener noreferrer" }, children);
}

// Puts `wanted` nodes into `parent` in order, touching only what changed, so focus and selection survive.
export function reconcile(parent, wanted) {
  wanted.forEach((node, at) => {
    if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at] ?? null);
  });
  while (parent.children.length > wanted.length) parent.lastElementChild.remove();
}

// Where the focus is, in words that still hold when what has it was drawn anew.
const words = (node) => [node.dataset.testid ?? node.name, node.value, node.textContent].join("|");
const alike = (row, what) => [...row.querySelectorAll("a, button, input, select, textarea")].filter((one) => words(one) === what);

export function spotOf(node) {
  const row = node?.closest("[id]");
  if (!row) return null;
  const same = alike(row, words(node));
  return { row: row.id, what: words(node), at: same.indexOf(node), of: same.length };
}

// Never onto another control of the row: whoever presses Enter means the one that they saw.
export function focusOn(spot) {
  const row = spot && byId(spot.row);
  if (!row) return;
  const same = alike(row, spot.what);
  (same.length === spot.of ? same[spot.at] ?? row : row).focus({ preventScroll: true });
}

// Draws the inside of `parent` anew and leaves the focus on what took the place of what had it.
export function redraw(parent, draw) {
  const focused = document.activeElement;
  const spot = parent.contains(focused) ? spotOf(focused) : null;
  draw();
  if (spot && !parent.contains(document.activeElement)) focusOn(spot);
}

const initialsOf = (name) =>
  name.split(/[\s._-]+/).filter(Boolean).slice(0, 2).map((part) => part[0].toUpperCase()).join("") || "?";

export function avatar(person, size = "") {
  const name = person ? person.real_name : "?";
  let hue = 0;
  for (const letter of person ? person.id : "?") hue = (hue * 31 + letter.codePointAt(0)) % 8;
  const kind = person && person.is_bot ? "avatar-app" : `hue-${hue}`;
  return h("span", { class: `avatar ${kind} ${size}`, "aria-hidden": "true" }, person && person.is_bot ? "✓" : initialsOf(name));
}

export function toast(text, kind = "") {
  const node = h("div", { class: `toast ${kind}`, testid: "toast" }, text);
  const toasts = byId("toasts");
  toasts.append(node);
  // What was shown last is on top, also of an open modal.
  if (toasts.matches(":popover-open")) toasts.hidePopover();
  toasts.showPopover();
  setTimeout(() => {
    node.remove();
    if (!toasts.childElementCount) toasts.hidePopover();
  }, 7000);
}

const timeOnly = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const dayOnly = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export const dateOf = (ts) => new Date(Number(ts) * 1000);
export const clock = (ts) => timeOnly.format(dateOf(ts));
export const exactly = (ts) => fullTime.format(dateOf(ts));
export function dayOf(ts) {
  const day = dateOf(ts);
  return day.toDateString() === new Date().toDateString() ? "Today" : dayOnly.format(day);
}
