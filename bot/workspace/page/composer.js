// The composer: Enter sends, Shift+Enter breaks the line, and `/` offers the app's commands.

import { h, toast } from "./dom.js";
import { post, shared } from "./api.js";

export function composer({ testid, placeholder, where, commands }) {
  const menu = h("div", { class: "menu suggestions", role: "listbox", id: `${testid}-commands`, "aria-label": "Commands", hidden: true });
  const box = h("textarea", { class: "composer-box", rows: 1, placeholder, "aria-label": placeholder, testid, spellcheck: false });
  if (commands) for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", menu.id], ["aria-expanded", "false"]]) box.setAttribute(name, value);
  const send = h("button", { type: "button", class: "button primary send", "aria-label": "Send", testid: `${testid}-send` }, "➤");
  let chosen = 0;

  const offered = () => {
    const typed = box.value;
    if (!commands || !typed.startsWith("/") || typed.includes(" ") || typed.includes("\n")) return [];
    return shared.state.app.commands.filter((one) => one.command.startsWith(typed) && one.command !== typed);
  };
  const hide = (hidden) => {
    menu.hidden = hidden;
    if (!commands) return;
    box.setAttribute("aria-expanded", String(!hidden));
    if (hidden) box.removeAttribute("aria-activedescendant");
    else box.setAttribute("aria-activedescendant", `${menu.id}-${chosen}`);
  };
  const suggest = () => {
    const found = offered();
    chosen = Math.min(chosen, Math.max(0, found.length - 1));
    hide(found.length === 0);
    menu.replaceChildren(...found.map((one, at) => h("button", {
      type: "button", role: "option", tabindex: "-1", id: `${menu.id}-${at}`, "aria-selected": String(at === chosen), testid: `suggest-${one.command}`, on: { click: () => take(one) },
    }, h("strong", {}, one.command), " ", h("span", { class: "faint" }, one.usage_hint), h("small", {}, one.description))));
  };
  const take = (one) => {
    box.value = `${one.command} `;
    suggest();
    box.focus();
  };
  const fit = () => {
    box.rows = Math.min(10, box.value.split("\n").length);
  };
  const put = (text) => {
    box.value = text;
    fit();
    suggest();
  };
  const submit = async () => {
    const text = box.value;
    if (!text.trim()) return;
    // Gone at once, so that pressing twice sends once; back if it could not be sent.
    put("");
    try {
      if (text.startsWith("/")) {
        if (!commands) throw new Error("Slash commands do not work in threads; run it in the channel.");
        const answer = await post("commands", { ...where(), command: text });
        if (!answer.acked) toast(`⚠ ${text.split(" ")[0]} failed: ${answer.notice} (${answer.why})`, "bad");
      } else {
        await post("messages", { ...where(), text });
      }
    } catch (error) {
      toast(error.message, "bad");
      if (!box.value) put(text);
    }
  };
  box.addEventListener("input", () => {
    fit();
    suggest();
  });
  box.addEventListener("keydown", (event) => {
    const found = menu.hidden ? [] : offered();
    if (found.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      suggest();
    } else if (found.length && (event.key === "Tab" || event.key === "Enter")) {
      event.preventDefault();
      take(found[chosen]);
    } else if (event.key === "Escape" && found.length) {
      event.stopPropagation();
      hide(true);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  send.addEventListener("click", submit);
  return h("div", { class: "composer" }, menu, box, send);
}
