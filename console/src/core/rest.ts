/** REST as the console uses it: the session of a slot, and calls with its token. */

import type { Fault, How, Problem } from "./types.ts";

export interface Signed {
  token: string;
  expires_at: string;
  person: { id: string; role: string; shop_id: string; name: string };
}

/** What a service refused, with the code that words are chosen by. */
export class Refusal extends Error implements Problem {
  constructor(
    readonly code: string,
    readonly title: string,
    readonly status: number,
    readonly trace?: string,
    readonly faults?: readonly Fault[],
  ) {
    super(title);
  }
}

/** Staff have 0 to 9; a widget's visitor has `w` with the shop's id. */
export type Slot = number | `w${string}`;

/** Lists that are asked for every few seconds: what has not changed is not sent again. */
const LISTS = /^\/v1\/conversations\?(view|ids)=/;
/** So many of their answers are remembered, those asked for last. */
const REMEMBERED = 16;

export class Rest {
  /** By path. */
  private readonly answers = new Map<string, { tag: string; value: unknown }>();

  constructor(private readonly slot: Slot) {}

  signIn(login: string, password: string): Promise<Signed> {
    return this.session("POST", "", { login, password }) as Promise<Signed>;
  }

  /** Begin a visit to the shop whose chat this slot is. */
  visit(): Promise<Signed> {
    return this.session("POST", "", {}) as Promise<Signed>;
  }

  refresh(): Promise<Signed> {
    return this.session("POST", "/refresh") as Promise<Signed>;
  }

  async signOut(): Promise<void> {
    await this.session("DELETE", "");
  }

  /** Call a route as the person whom `token` stands for. Rejects with a `Refusal`. */
  async call(method: string, path: string, token: string, body?: unknown, how: How = {}): Promise<unknown> {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
    if (method === "POST") headers["Idempotency-Key"] = how.key ?? crypto.randomUUID();
    if (how.accept !== undefined) headers.Accept = how.accept;
    if (how.version !== undefined) headers["If-Match"] = `"${how.version}"`;
    if (method === "GET" && LISTS.test(path)) return this.list(path, headers);
    return answered(await fetch(path, request(method, body, headers)));
  }

  private async list(path: string, headers: Record<string, string>): Promise<unknown> {
    const before = this.answers.get(path);
    const response = await fetch(path, request("GET", undefined, before === undefined ? headers : { ...headers, "If-None-Match": before.tag }));
    const found = response.status === 304 && before !== undefined ? before : { tag: response.headers.get("ETag") ?? "", value: await answered(response) };
    this.answers.delete(path);
    if (found.tag !== "") this.answers.set(path, found);
    const oldest = this.answers.keys().next().value;
    if (this.answers.size > REMEMBERED && oldest !== undefined) this.answers.delete(oldest);
    return found.value;
  }

  private async session(method: string, tail: string, body?: unknown): Promise<unknown> {
    // Nobody's lists are another's.
    if (tail === "") this.answers.clear();
    const path = `/v1/sessions/slots/${this.slot}${tail}`;
    return answered(await fetch(path, request(method, body, { "X-PeakDesk": "1" })));
  }
}

function request(method: string, body: unknown, headers: Record<string, string>): RequestInit {
  if (body === undefined) return { method, headers };
  if (body instanceof Blob) return { method, headers: { ...headers, "Content-Type": body.type }, body };
  return { method, headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** `Response.text` drops the mark in front, without which spreadsheets take UTF-8 for something else. */
const UNCHANGED = new TextDecoder("utf-8", { ignoreBOM: true });

async function answered(response: Response): Promise<unknown> {
  if (response.ok && response.headers.get("Content-Type")?.startsWith("image/")) return response.blob();
  if (response.ok && response.headers.get("Content-Type")?.startsWith("text/csv")) return UNCHANGED.decode(await response.arrayBuffer());
  const text = await response.text();
  if (response.ok) return text === "" ? null : JSON.parse(text);
  try {
    const problem = JSON.parse(text) as Partial<Problem> & { trace_id?: string; errors?: Fault[] };
    throw new Refusal(problem.code ?? `http_${response.status}`, problem.title ?? response.statusText, response.status, problem.trace_id, problem.errors);
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(`http_${response.status}`, response.statusText, response.status);
  }
}
