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

export class Rest {
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
    return answered(await fetch(path, request(method, body, headers)));
  }

  private async session(method: string, tail: string, body?: unknown): Promise<unknown> {
    const path = `/v1/sessions/slots/${this.slot}${tail}`;
    return answered(await fetch(path, request(method, body, { "X-PeakDesk": "1" })));
  }
}

function request(method: string, body: unknown, headers: Record<string, string>): RequestInit {
  if (body === undefined) return { method, headers };
  return { method, headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

async function answered(response: Response): Promise<unknown> {
  const text = await response.text();
  if (response.ok && response.headers.get("Content-Type")?.startsWith("text/csv")) return text;
  if (response.ok) return text === "" ? null : JSON.parse(text);
  try {
    const problem = JSON.parse(text) as Partial<Problem> & { trace_id?: string; errors?: Fault[] };
    throw new Refusal(problem.code ?? `http_${response.status}`, problem.title ?? response.statusText, response.status, problem.trace_id, problem.errors);
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(`http_${response.status}`, response.statusText, response.status);
  }
}
