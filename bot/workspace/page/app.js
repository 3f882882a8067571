// The page as a whole: where you are, who you act as, and keeping all of it up to date.

import { avatar, byId, fill, h, reconcile, redraw, toast } from "./dom.js";
import { get, listen, loadState, post, shared } from "./api.js";
import { MessageList } from "./messages.js";
import { composer } from "./composer.js";
import { renderBlocks } from "./blocks.js";
import { icon } from "./emoji.js";
import { forgetAll, prune } from "./elements.js";
import { refreshModal } from "./modal.js";

const here = { channel: "", home: false, thread: "" };
const main = new MessageList(byId("messages"), byId("scroll"), { inThread: false, onThread: openThread });
const replies = new MessageList(byId("thread-messages"), byId("thread-scroll"), { inThread: true, onThread: () => {} });
let homeShown = "";

const channelTitle = (channel) => {
  if (channel.kind === "im") return shared.people.get(channel.with)?.real_name ?? "Direct message";
  return channel.kind === "mpim" ? channel.members.map((one) => shared.people.get(one)?.real_name).join(", ") : channel.name;
};
const dmWithApp = () => [...shared.channels.values()].find((one) => one.kind === "im" && one.with === shared.state.app.bot_user_id);

// the sidebar

function entry({ testid, sign, label, unread, current, open }) {
  return h("li", {}, h("button", {
    type: "button", class: `entry ${unread ? "unread" : ""}`, testid, "aria-current": current ? "page" : undefined, on: { click: open },
  }, h("span", { class: "entry-sign", "aria-hidden": "true" }, sign), h("span", { class: "entry-label" }, label),
  unread ? h("span", { class: "count", "aria-label": `${unread} unread` }, String(unread)) : null));
}

function drawSidebar() {
  const { state } = shared;
  byId("team-name").textContent = state.team.name;
  const people = state.people.filter((one) => !one.is_bot && !one.deleted);
  const select = byId("act-as");
  const wanted = people.map((one) => one.id).join();
  if (select.dataset.of !== wanted) {
    select.replaceChildren(...people.map((one) => h("option", { value: one.id }, one.title ? `${one.real_name} · ${one.title}` : one.real_name)));
    select.dataset.of = wanted;
  }
  select.value = shared.me;
  byId("act-as-avatar").replaceChildren(avatar(shared.people.get(shared.me)));
  const channels = state.channels.filter((one) => one.kind === "public" || one.kind === "private");
  const direct = state.channels.filter((one) => (one.kind === "im" || one.kind === "mpim") && one.members.includes(shared.me) && one.with !== state.app.bot_user_id);
  const others = people.filter((one) => one.id !== shared.me && !direct.some((channel) => channel.with === one.id));
  const dm = dmWithApp();
  byId("lists").replaceChildren(
    h("h2", {}, "Channels"),
    h("ul", {}, channels.map((one) => entry({
      testid: `channel-${one.name}`, sign: one.kind === "private" ? icon("lock") : "#", label: one.name, unread: one.unread,
      current: !here.home && here.channel === one.id, open: () => openChannel(one.id),
    }))),
    h("h2", {}, "Apps"),
    h("ul", {}, entry({ testid: "app-home", sign: avatar(shared.people.get(state.app.bot_user_id), "tiny"), label: state.app.name, unread: dm?.unread, current: here.home || (dm && here.channel === dm.id), open: openHome })),
    h("h2", {}, "Direct messages"),
    h("ul", {},
      direct.map((one) => entry({ testid: `dm-${shared.people.get(one.with)?.name ?? one.id}`, sign: avatar(shared.people.get(one.with), "tiny"), label: channelTitle(one), unread: one.unread, current: !here.home && here.channel === one.id, open: () => openChannel(one.id) })),
      others.map((one) => entry({ testid: `dm-${one.name}`, sign: avatar(one, "tiny"), label: one.real_name, open: async () => openChannel((await post("direct", { with: one.id })).channel) }))));
  const http = state.app.mode === "http";
  const alive = http || state.app.connections > 0;
  byId("app-status").replaceChildren(
    h("span", { class: alive ? "dot on" : "dot" }),
    h("span", {}, http ? `${state.app.name} over signed HTTP` : alive ? `${state.app.name} connected` : `${state.app.name} is not connected`),
    h("small", {}, http ? "" : `Socket Mode · ${state.app.connections}`));
  const unread = state.channels.reduce((sum, one) => sum + one.unread, 0);
  document.title = `${unread ? `(${unread}) ` : ""}${state.team.name}`;
}

// the middle

function drawHead() {
  const { app } = shared.state;
  const dm = dmWithApp();
  if (here.home || (dm && here.channel === dm.id)) {
    const tab = (label, testid, current, open) => h("button", { type: "button", class: "tab", testid, "aria-current": current ? "page" : undefined, on: { click: open } }, label);
    byId("head").replaceChildren(avatar(shared.people.get(app.bot_user_id), "small"), h("h1", {}, app.name),
      h("div", { class: "tabs" }, tab("Home", "tab-home", here.home, openHome), tab("Messages", "tab-messages", !here.home, openAppMessages)));
    return;
  }
  const channel = shared.channels.get(here.channel);
  if (!channel) return;
  const sign = channel.kind === "public" ? "#" : channel.kind === "private" ? icon("lock") : "";
  fill(byId("head"),
    h("h1", { testid: "channel-title" }, sign ? h("span", { class: "head-sign" }, sign) : null, channelTitle(channel)),
    h("p", { class: "topic" }, channel.topic),
    channel.pins.length ? h("span", { class: "pill" }, icon("pin"), ` ${channel.pins.length}`) : null,
    h("span", { class: "pill", title: channel.members.map((one) => shared.people.get(one)?.real_name).join(", ") }, `${channel.members.length} members`));
}

function drawFoot() {
  const channel = shared.channels.get(here.channel);
  const key = here.home ? "home" : `${here.channel} ${channel?.is_member} ${shared.me}`;
  const foot = byId("foot");
  if (foot.dataset.of === key) return;
  foot.dataset.of = key;
  if (here.home || !channel) foot.replaceChildren();
  else if (!channel.is_member) foot.replaceChildren(h("button", { type: "button", class: "button primary", testid: "join", on: { click: () => post("members", { channel: channel.id }) } }, `Join #${channel.name}`));
  else foot.replaceChildren(composer({ testid: "composer", commands: true, placeholder: `Message ${channel.kind === "im" ? "" : "#"}${channelTitle(channel)}  ·  / for commands`, where: () => ({ channel: here.channel }) }));
}

async function refreshMessages({ toEnd = false } = {}) {
  if (here.home || !here.channel) return;
  const asked = here.channel;
  const { messages } = await get("messages", { channel: asked });
  if (asked !== here.channel || here.home) return;
  main.show(asked, messages, { toEnd });
  const empty = h("li", { class: "empty" }, h("span", { "aria-hidden": "true" }, "✓"), h("p", {}, "Nothing here yet."));
  if (!messages.length) reconcile(byId("messages"), [empty]);
  if (shared.channels.get(asked)?.unread !== 0 && document.visibilityState === "visible") await post("read", { channel: asked });
}

async function refreshThread({ toEnd = false } = {}) {
  if (!here.thread) return;
  const asked = here.thread;
  const { messages } = await get("messages", { channel: here.channel, thread_ts: asked });
  if (asked !== here.thread) return;
  if (!messages.length) closeThread();
  else replies.show(here.channel, messages, { toEnd });
}

async function refreshHome() {
  if (!here.home) return;
  const { view } = await get("home");
  const as = JSON.stringify([view?.hash, shared.me]);
  if (as === homeShown) return;
  homeShown = as;
  main.clear();
  if (view) prune(view.id, view.blocks);
  const container = view && { key: view.id, address: { view_id: view.id } };
  redraw(byId("messages"), () => byId("messages").replaceChildren(h("li", { class: "home", testid: "home" }, view
    ? renderBlocks(view.blocks, { container, state: view.state.values })
    : h("p", { class: "faint" }, `${shared.state.app.name} has not published a Home tab for you yet.`))));
}

// going somewhere

async function openChannel(id, { thread = "" } = {}) {
  if (here.channel !== id || here.home) main.clear();
  closeThread();
  Object.assign(here, { channel: id, home: false });
  await refreshState();
  const channel = shared.channels.get(id);
  history.replaceState(null, "", `/#${channel?.name || id}`);
  await refreshMessages({ toEnd: true });
  if (thread) openThread(thread);
}

async function openHome() {
  closeThread();
  main.clear();
  homeShown = "";
  Object.assign(here, { channel: dmWithApp()?.id ?? "", home: true });
  await post("home");
  await refreshState();
  history.replaceState(null, "", "/#home");
  await refreshHome();
}

async function openAppMessages() {
  await openChannel((await post("direct", { with: shared.state.app.bot_user_id })).channel);
}

async function openThread(ts) {
  replies.clear();
  here.thread = ts;
  byId("thread").hidden = false;
  byId("shell").classList.add("with-thread");
  byId("thread-where").textContent = `#${channelTitle(shared.channels.get(here.channel))}`;
  byId("thread-foot").replaceChildren(composer({ testid: "thread-composer", commands: false, placeholder: "Reply…", where: () => ({ channel: here.channel, thread_ts: here.thread }) }));
  await refreshThread({ toEnd: true });
}

function closeThread() {
  const focused = byId("thread").contains(document.activeElement) && here.thread;
  here.thread = "";
  replies.clear();
  byId("thread").hidden = true;
  byId("shell").classList.remove("with-thread");
  if (focused) byId(`m-${focused}`)?.focus();
}

async function openPermalink(path, query) {
  const [, , channel, message] = path.split("/");
  const ts = `${message.slice(1, -6)}.${message.slice(-6)}`;
  await openChannel(channel, { thread: query.get("thread_ts") ?? "" });
  const node = byId(`m-${ts}`) ?? byId(`m-t-${ts}`);
  node?.scrollIntoView({ block: "center" });
  node?.classList.add("pointed-at");
}

// keeping up

async function refreshState() {
  await loadState();
  redraw(byId("lists"), drawSidebar);
  // On a telephone the list is a strip, and where one is may be out of sight.
  document.querySelector(".entry[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  redraw(byId("head"), drawHead);
  drawFoot();
}

const due = new Set();
let running = false;
async function refresh(...what) {
  what.forEach((one) => due.add(one));
  if (running) return;
  running = true;
  try {
    while (due.size) {
      const now = [...due];
      due.clear();
      if (now.includes("state")) await refreshState();
      if (now.includes("messages")) await refreshMessages();
      if (now.includes("thread")) await refreshThread();
      if (now.includes("modal")) await refreshModal();
      if (now.includes("home")) await refreshHome();
    }
  } catch (error) {
    toast(error.message, "bad");
  } finally {
    running = false;
  }
}

function onChange(change) {
  const mine = change.user === undefined || change.user === "" || change.user === shared.me;
  if (change.kind === "view" && mine) refresh("modal");
  else if (change.kind === "home" && mine) refresh("home");
  else if (["message", "deleted", "ephemeral"].includes(change.kind) && mine) {
    refresh("state");
    if (change.channel === here.channel) refresh("messages", "thread");
  } else if (["read", "channel", "connections"].includes(change.kind)) refresh("state");
}

byId("act-as").addEventListener("change", async (event) => {
  shared.me = event.target.value;
  forgetAll();
  sessionStorage.setItem("as", shared.me);
  main.clear();
  replies.clear();
  homeShown = "";
  if (here.home) await openHome();
  else if (shared.channels.get(here.channel)?.kind === "im") await openChannel(shared.state.channels[0].id);
  await refresh("state", "messages", "thread", "modal");
});
byId("thread-close").addEventListener("click", closeThread);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && here.thread && !document.querySelector("dialog[open]")) closeThread();
});
document.addEventListener("visibilitychange", () => refresh("messages"));
document.addEventListener("click", (event) => {
  const anchor = event.target.closest?.("a[href]");
  if (!anchor || anchor.target || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const url = new URL(anchor.href);
  openPermalink(url.pathname, url.searchParams);
});

async function begin() {
  const query = new URLSearchParams(location.search);
  const path = location.pathname;
  const wanted = decodeURIComponent(location.hash.slice(1));
  shared.me = query.get("as") ?? sessionStorage.getItem("as") ?? "";
  await loadState();
  sessionStorage.setItem("as", shared.me);
  if (path.startsWith("/archives/")) await openPermalink(path, query);
  else if (wanted === "home") await openHome();
  else {
    const channel = shared.state.channels.find((one) => one.name === wanted || one.id === wanted) ?? shared.state.channels[0];
    await openChannel(channel.id);
  }
  await refreshModal();
  listen(onChange, () => refresh("state", "messages", "thread", "modal", "home"));
  document.body.dataset.ready = "true";
}

begin().catch((error) => toast(error.message, "bad"));
