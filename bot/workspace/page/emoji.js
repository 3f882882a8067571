// Emoji by name or character, drawn as small pictures of our own: a plain machine has no emoji font.
// What is not in the table stays as it was written.

const DRAWN = {
  check: ["good", "M5 12.5l4.6 4.7L19.5 7"],
  cross: ["bad", "M6 6l12 12M18 6L6 18"],
  warning: ["warn", "M12 4L2.8 20h18.4zM12 10v4.5M12 17.2v.3"],
  stop: ["bad", "M8 3h8l5 5v8l-5 5H8l-5-5V8zM8 12h8"],
  hourglass: ["warn", "M7 3h10M7 21h10M8 3v4l4 5-4 5v4M16 3v4l-4 5 4 5v4"],
  clock: ["soft", "M12 21a8 8 0 1 1 0-16 8 8 0 0 1 0 16zM12 9v4l2.5 2M10 2h4"],
  alarm: ["bad", "M6 19v-6a6 6 0 0 1 12 0v6M4 19h16M12 3v1M4 6l1 1M20 6l-1 1"],
  bell: ["warn", "M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15zM10 21h4"],
  lock: ["soft", "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  unlock: ["good", "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 6.8-1"],
  key: ["warn", "M9 19a4 4 0 1 1 0-8 4 4 0 0 1 0 8zM12 12l8-8M17 7l2.5 2.5"],
  eyes: ["soft", "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z"],
  search: ["soft", "M11 18a7 7 0 1 1 0-14 7 7 0 0 1 0 14zM16 16l5 5"],
  robot: ["soft", "M5 9h14v11H5zM12 9V5M12 4v.5M9.5 13.5v1.5M14.5 13.5v1.5M2.5 13v4M21.5 13v4"],
  person: ["soft", "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 21c0-4.5 3.4-7 7.5-7s7.5 2.5 7.5 7"],
  people: ["soft", "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c0-4 2.9-6 6.5-6s6.5 2 6.5 6M16 5a3.3 3.3 0 0 1 0 6M18 14.5c2.2.7 3.5 2.6 3.5 5.5"],
  shield: ["good", "M12 3l8 3v6c0 4.5-3.2 7.7-8 9-4.8-1.3-8-4.5-8-9V6z"],
  page: ["soft", "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"],
  note: ["soft", "M5 5h9M5 10h6M5 15h4M12 19l1-4 7-7 3 3-7 7z"],
  link: ["soft", "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17"],
  pin: ["bad", "M12 15v6M7 15h10l-2-4V5h1V3H8v2h1v6z"],
  up: ["warn", "M7 11l4-8c1.7 0 2.5 1 2.2 2.7L12.7 9H19c1.2 0 2 1 1.7 2.2l-1.7 7c-.2 1-1 1.8-2 1.8H7zM7 11H3.5v9H7"],
  down: ["warn", "M7 13l4 8c1.7 0 2.5-1 2.2-2.7l-.5-3.3H19c1.2 0 2-1 1.7-2.2l-1.7-7C18.8 4.8 18 4 17 4H7zM7 13H3.5V4H7"],
  speech: ["soft", "M4 5h16v11H11l-4 4v-4H4z"],
  bolt: ["warn", "M13 2.5L5 13.5h6l-1 8 8-11h-6z"],
  skull: ["soft", "M12 3a8 8 0 0 0-5 14v3h10v-3a8 8 0 0 0-5-14zM9 12v.5M15 12v.5M10.5 20v-2M13.5 20v-2"],
  gear: ["soft", "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM12 2.5v3M12 18.5v3M2.5 12h3M18.5 12h3M5.3 5.3l2.1 2.1M16.6 16.6l2.1 2.1M5.3 18.7l2.1-2.1M16.6 7.4l2.1-2.1"],
  info: ["soft", "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18zM12 11v6M12 7.5v.3"],
  question: ["bad", "M8.5 8.5a3.5 3.5 0 1 1 5 3.2c-1 .6-1.5 1.2-1.5 2.8M12 18v.3"],
  exclamation: ["bad", "M12 4v11M12 19v.3"],
  right: ["soft", "M4 12h16M14 6l6 6-6 6"],
  back: ["soft", "M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3"],
  pause: ["soft", "M8 5v14M16 5v14"],
  square: ["bad", "M6 6h12v12H6z"],
  box: ["soft", "M3.5 7.5L12 3l8.5 4.5v9L12 21l-8.5-4.5zM3.5 7.5L12 12l8.5-4.5M12 12v9"],
  disk: ["soft", "M4 4h13l3 3v13H4zM8 4v5h7V4M8 20v-7h8v7"],
  globe: ["soft", "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18zM3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18"],
  tree: ["good", "M12 3v5M6 21v-5h12v5M12 8v8M4 21h4M10 3h4M16 21h4"],
  bulb: ["warn", "M9 17h6M10 21h4M9 17c0-2-3-3.5-3-7a6 6 0 0 1 12 0c0 3.5-3 5-3 7"],
  wave: ["warn", "M7 13V6.5a1.5 1.5 0 0 1 3 0V11M10 11V4.5a1.5 1.5 0 0 1 3 0V11M13 11V5.5a1.5 1.5 0 0 1 3 0V13M7 12l-1.5-2a1.5 1.5 0 0 0-2.5 1.6L6.5 18c1 2 3 3.5 5.5 3.5 4 0 6.5-2.5 6.5-6.5V9a1.5 1.5 0 0 0-2.5 0"],
  spark: ["warn", "M12 3v6M12 15v6M3 12h6M15 12h6M6 6l3 3M15 15l3 3M18 6l-3 3M9 15l-3 3"],
  circle: ["", "M12 20a8 8 0 1 1 0-16 8 8 0 0 1 0 16z"],
};

const SAME = {
  check: "white_check_mark heavy_check_mark ballot_box_with_check ✅ ✔ ☑", cross: "x negative_squared_cross_mark ❌ ❎ ✖", warning: "warning ⚠",
  stop: "no_entry no_entry_sign octagonal_sign ⛔ 🚫 🛑", hourglass: "hourglass hourglass_flowing_sand ⌛ ⏳",
  clock: "stopwatch timer_clock alarm_clock clock1 clock3 clock9 ⏱ ⏲ ⏰ 🕐 🕒 🕘", alarm: "rotating_light 🚨", bell: "bell no_bell 🔔 🔕",
  lock: "lock closed_lock_with_key lock_with_ink_pen 🔒 🔐 🔏", unlock: "unlock 🔓", key: "key old_key 🔑 🗝", eyes: "eyes eye 👀 👁",
  search: "mag mag_right 🔍 🔎", robot: "robot_face robot 🤖", person: "bust_in_silhouette detective 👤 🕵", people: "busts_in_silhouette 👥",
  shield: "shield 🛡", page: "page_facing_up page_with_curl scroll clipboard receipt card_file_box file_folder 📄 📃 📜 📋 🧾 🗃 📁",
  note: "memo pencil pencil2 📝 ✏", link: "link 🔗", pin: "pushpin round_pushpin 📌 📍", up: "thumbsup +1 👍", down: "thumbsdown -1 👎",
  speech: "speech_balloon left_speech_bubble 💬 🗨", bolt: "zap ⚡", skull: "skull skull_and_crossbones bomb 💀 ☠ 💣", gear: "gear hammer_and_wrench wrench ⚙ 🛠 🔧",
  info: "information_source ℹ", question: "question grey_question ❓ ❔", exclamation: "exclamation heavy_exclamation_mark ❗", right: "arrow_right point_right fast_forward ➡ 👉",
  back: "leftwards_arrow_with_hook repeat arrows_counterclockwise ↩ 🔁 🔄", pause: "double_vertical_bar ⏸", square: "black_square_for_stop ⏹", box: "package 📦",
  disk: "floppy_disk 💾", globe: "globe_with_meridians 🌐", tree: "deciduous_tree seedling evergreen_tree dna 🌳 🌱 🌲 🧬", bulb: "bulb 💡", wave: "wave 👋", spark: "tada sparkles fire 🎉 ✨ 🔥",
};
const CIRCLES = {
  red: "red_circle 🔴", green: "large_green_circle 🟢", yellow: "large_yellow_circle 🟡", orange: "large_orange_circle 🟠", blue: "large_blue_circle 🔵",
  purple: "large_purple_circle 🟣", white: "white_circle ⚪", black: "black_circle ⚫",
};

const shapes = new Map();
for (const [shape, names] of Object.entries(SAME)) for (const name of names.split(" ")) shapes.set(name, [shape, DRAWN[shape][0]]);
for (const [colour, names] of Object.entries(CIRCLES)) for (const name of names.split(" ")) shapes.set(name, ["circle", `circle-${colour}`]);

const SVG = "http://www.w3.org/2000/svg";

export function icon(shape, kind = "", label = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `emoji ${kind}`);
  svg.setAttribute(label ? "aria-label" : "aria-hidden", label || "true");
  if (label) svg.setAttribute("role", "img");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", DRAWN[shape][1]);
  svg.append(path);
  return svg;
}

export function named(name) {
  const found = shapes.get(name.split("::")[0]);
  return found ? icon(found[0], found[1], name) : `:${name}:`;
}

const CHARACTERS = /()(\p{Extended_Pictographic})\uFE0F?/gu;
const NAMES_TOO = /:([a-z0-9_+-]+):|(\p{Extended_Pictographic})\uFE0F?/gu;

// Text with known characters drawn, and :names: too where they count; an array of strings and pictures.
export function withEmoji(text, { names = true } = {}) {
  const nodes = [];
  let last = 0;
  for (const found of text.matchAll(names ? NAMES_TOO : CHARACTERS)) {
    const shape = shapes.get(found[1] || found[2]);
    if (!shape) continue;
    nodes.push(text.slice(last, found.index), icon(shape[0], shape[1], found[1] || found[2]));
    last = found.index + found[0].length;
  }
  nodes.push(text.slice(last));
  return nodes;
}
