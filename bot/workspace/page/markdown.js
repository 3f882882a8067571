// The `markdown` block: headings, lists, quotes, fences, tables and the usual marks.

import { h, link } from "./dom.js";
import { code } from "./highlight.js";

function inline(text) {
  const nodes = [];
  const marks = /(`+)(.+?)\1|\*\*(.+?)\*\*|__(.+?)__|~~(.+?)~~|\*([^*\s][^*]*)\*|\b_([^_\s][^_]*)_\b|\[([^\]]+)\]\(([^)\s]+)\)/g;
  let last = 0;
  for (const found of text.matchAll(marks)) {
    nodes.push(text.slice(last, found.index));
    const [, , asCode, strong, strong2, struck, em, em2, label, address] = found;
    if (asCode !== undefined) nodes.push(h("code", {}, asCode));
    else if (strong ?? strong2) nodes.push(h("strong", {}, inline(strong ?? strong2)));
    else if (struck) nodes.push(h("s", {}, inline(struck)));
    else if (em ?? em2) nodes.push(h("em", {}, inline(em ?? em2)));
    else nodes.push(link(address, inline(label)));
    last = found.index + found[0].length;
  }
  nodes.push(text.slice(last));
  return nodes;
}

const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((one) => one.trim());

export function markdown(text) {
  const lines = text.split("\n");
  const nodes = [];
  let at = 0;
  const take = (test) => {
    const taken = [];
    while (at < lines.length && test(lines[at])) taken.push(lines[at++]);
    return taken;
  };
  while (at < lines.length) {
    const line = lines[at];
    const fence = /^\s*```(\w*)/.exec(line);
    const heading = /^(#{1,6}) (.*)/.exec(line);
    if (fence) {
      at += 1;
      const body = take((one) => !/^\s*```/.test(one));
      at += 1;
      nodes.push(h("pre", {}, code(body.join("\n"), fence[1])));
    } else if (heading) {
      at += 1;
      nodes.push(h("div", { class: `md-h md-h${heading[1].length}`, role: "heading", "aria-level": String(heading[1].length + 2) }, inline(heading[2])));
    } else if (/^\s*([-*_])(\s*\1){2,}\s*$/.test(line)) {
      at += 1;
      nodes.push(h("hr"));
    } else if (/^>/.test(line)) {
      nodes.push(h("blockquote", {}, take((one) => /^>/.test(one)).map((one) => h("div", {}, inline(one.replace(/^> ?/, ""))))));
    } else if (/^\s*[-*+] /.test(line)) {
      nodes.push(h("ul", {}, take((one) => /^\s*[-*+] /.test(one)).map((one) => h("li", {}, inline(one.replace(/^\s*[-*+] /, ""))))));
    } else if (/^\s*\d+[.)] /.test(line)) {
      nodes.push(h("ol", {}, take((one) => /^\s*\d+[.)] /.test(one)).map((one) => h("li", {}, inline(one.replace(/^\s*\d+[.)] /, ""))))));
    } else if (line.includes("|") && /^[\s|:-]+$/.test(lines[at + 1] ?? "x")) {
      const [head, , ...rows] = take((one) => one.includes("|"));
      nodes.push(h("div", { class: "table-scroll" }, h("table", {},
        h("thead", {}, h("tr", {}, cells(head).map((one) => h("th", {}, inline(one))))),
        h("tbody", {}, rows.map((row) => h("tr", {}, cells(row).map((one) => h("td", {}, inline(one)))))))));
    } else if (line.trim() === "") {
      at += 1;
    } else {
      const stop = /^(#{1,6} |>|\s*[-*+] |\s*\d+[.)] |\s*```)/;
      const body = take((one) => one.trim() !== "" && !stop.test(one));
      if (!body.length) body.push(lines[at++]);
      nodes.push(h("p", {}, body.flatMap((one, n) => (n ? [h("br"), ...inline(one)] : inline(one)))));
    }
  }
  return nodes;
}
