// The visible modal: filled in, submitted, closed. Escape closes it, as its Close button does.

import { byId, focusOn, h, spotOf, toast } from "./dom.js";
import { get, post, shared } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { draftOf, forget, plain, prune } from "./elements.js";

const dialog = byId("modal");
let shown = null;
let drawnAs = "";
let problem = "";
let opener = null;

async function send(route, body) {
  const view = shown;
  if (dialog.classList.contains("busy")) return;
  dialog.classList.add("busy");
  try {
    const answer = await post(route, { view_id: view.id, ...body });
    problem = answer.acked ? "" : `${shared.state.app.name} did not answer in time (${answer.why}). Try again?`;
  } catch (error) {
    problem = error.message;
  } finally {
    dialog.classList.remove("busy");
  }
  await refreshModal();
}

const submit = () => send("views/submit", { values: draftOf(shown.id) });
const close = () => send("views/close", {});

function draw(view, depth) {
  const focused = dialog.contains(document.activeElement) ? document.activeElement.name : "";
  const scrolled = dialog.querySelector(".modal-body")?.scrollTop ?? 0;
  const container = { key: view.id, address: { view_id: view.id } };
  prune(view.id, view.blocks);
  const blocks = renderBlocks(view.blocks, { container, state: view.state.values, errors: view.errors });
  const form = h("form", { class: "modal-form", novalidate: true, on: { submit: (event) => {
    event.preventDefault();
    if (view.submit) submit();
  } } },
    h("header", { class: "modal-head" },
      h("h2", { id: "modal-title" }, depth > 1 ? h("small", {}, "‹ ") : null, plain(view.title)),
      h("button", { type: "button", class: "icon", "aria-label": "Close", testid: "modal-x", on: { click: close } }, "✕")),
    problem ? h("p", { class: "modal-problem", role: "alert", testid: "modal-problem" }, `⚠ ${problem}`) : null,
    h("div", { class: "modal-body" }, blocks),
    h("footer", { class: "modal-foot" },
      h("button", { type: "button", class: "button", testid: "modal-close", on: { click: close } }, view.close ? plain(view.close) : depth > 1 ? "Back" : "Close"),
      view.submit ? h("button", { type: "submit", class: "button primary", testid: "modal-submit" }, plain(view.submit)) : null));
  dialog.replaceChildren(form);
  if (!dialog.open) {
    opener = spotOf(document.activeElement);
    dialog.showModal();
  }
  dialog.querySelector(".modal-body").scrollTop = scrolled;
  const before = focused && dialog.querySelector(`[name="${CSS.escape(focused)}"]`);
  // A modal is read from its top, wherever its first input stands; only what is wrong is gone to.
  const wrong = dialog.querySelector(".has-error :is(input, textarea, select)");
  (wrong || before || dialog.querySelector(".modal-body :is(input, textarea, select, button)") || dialog.querySelector(".modal-foot button:last-child")).focus({ preventScroll: !wrong });
}

export async function refreshModal() {
  const { views } = await get("views");
  const view = views.at(-1) ?? null;
  if (!view) {
    if (shown) forget(shown.id);
    shown = null;
    problem = "";
    drawnAs = "";
    dialog.close();
    // What was shown may be what nobody else may see: it does not stay behind in the page.
    dialog.replaceChildren();
    // The browser gives the focus back to what had it, unless that was drawn anew meanwhile.
    if (document.activeElement === document.body) focusOn(opener);
    opener = null;
    return;
  }
  if (shown && shown.id !== view.id) problem = "";
  const as = JSON.stringify([view.id, view.hash, view.errors, problem]);
  shown = view;
  if (as === drawnAs && dialog.open) return;
  drawnAs = as;
  draw(view, views.length);
}

dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  if (shown) close().catch((error) => toast(error.message, "bad"));
});
