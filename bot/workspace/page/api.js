// The control API, and what everything on the page shares: who acts, and what the workspace looks like.

export const shared = { me: "", state: null, people: new Map(), channels: new Map(), groups: new Map() };

async function call(method, route, { query, body } = {}) {
  const search = query ? `?${new URLSearchParams(query)}` : "";
  const answer = await fetch(`/_control/${route}${search}`, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body ? JSON.stringify(body) : undefined,
  });
  const data = await answer.json().catch(() => ({ ok: false, error: `HTTP ${answer.status}` }));
  if (!data.ok) throw new Error(data.error);
  return data;
}

export const get = (route, query = {}) => call("GET", route, { query: { as: shared.me, ...query } });
export const post = (route, body = {}) => call("POST", route, { body: { as: shared.me, ...body } });

export async function loadState() {
  const state = await get("state");
  shared.state = state;
  shared.me = state.me;
  shared.people = new Map(state.people.map((one) => [one.id, one]));
  shared.channels = new Map(state.channels.map((one) => [one.id, one]));
  shared.groups = new Map(state.groups.map((one) => [one.id, one]));
  return state;
}

export const personName = (id) => shared.people.get(id)?.real_name ?? id;

export function listen(onChange, onLost) {
  const source = new EventSource("/_control/stream");
  source.onmessage = (event) => onChange(JSON.parse(event.data));
  source.addEventListener("lost", onLost);
  source.addEventListener("ready", onLost);
}
