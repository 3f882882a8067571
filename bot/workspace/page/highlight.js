// Light syntax colours for SQL and shell in preformatted text; every character stays as it is.

import { h } from "./dom.js";

const SQL = new Set(("select from where and or not in is null insert into values update set delete create alter drop table index view " +
  "join left right inner outer full on group by order having limit offset returning as distinct union all exists between like ilike " +
  "case when then else end begin commit rollback grant revoke truncate with cascade primary key foreign references default " +
  "add column copy to stdout stdin explain analyze schema database role user function trigger do using only if").split(" "));
const TOKEN = /(--[^\n]*|\/\*[\s\S]*?\*\/)|('(?:[^']|'')*')|("(?:[^"]|"")*")|(\$\d+|\b\d+(?:\.\d+)?\b)|([A-Za-z_]\w*)/g;

export function code(text, language) {
  if (language !== "sql") return [text];
  const nodes = [];
  let last = 0;
  for (const found of text.matchAll(TOKEN)) {
    const [all, comment, string, , number, word] = found;
    const kind = comment ? "comment" : string ? "string" : number ? "number" : word && SQL.has(word.toLowerCase()) ? "keyword" : "";
    if (!kind) continue;
    nodes.push(text.slice(last, found.index), h("span", { class: `code-${kind}` }, all));
    last = found.index + all.length;
  }
  nodes.push(text.slice(last));
  return nodes;
}
