/** The frontend that the core's README shows is the one in `frontend.ts`, and it works. */

import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, it, vi } from "vitest";

import { EMPTY, type Conversation, type State } from "@/core/types.ts";

const core = vi.hoisted(() => {
  const listeners: ((changed: object) => void)[] = [];
  const answer = () => Promise.resolve();
  return {
    state: {} as object,
    subscribe: (listener: (changed: object) => void) => listeners.push(listener),
    signIn: vi.fn<(login: string, password: string) => Promise<void>>(answer),
    send: vi.fn<(conversation: string, text: string) => Promise<void>>(answer),
    draft: vi.fn<(conversation: string, text: string) => Promise<void>>(answer),
    tell(changed: object): void {
      this.state = { ...this.state, ...changed };
      for (const listener of listeners) listener(changed);
    },
  };
});
vi.mock("@/core/page.ts", () => ({ connect: () => core }));

function waits(id: string, since: number, text: string): Conversation {
  const item = { id: `m-${id}`, position: [1, 1] as const, at: since, type: "chat.message.v1", by: "buyer" as const, senderId: "b", clientId: null, text };
  return { id, items: [item], waitingSince: since } as unknown as Conversation;
}

const words = () => [...document.querySelectorAll("li")].map((entry) => entry.textContent);
const box = () => document.querySelector("input") as HTMLInputElement;
const tell = (changed: Partial<State>) => core.tell(changed);

beforeAll(async () => {
  core.state = EMPTY;
  vi.stubGlobal("prompt", (asked: string) => asked.toLowerCase());
  await import("./frontend.ts");
});

describe("a frontend in a few lines", () => {
  it("is the one that the README shows", () => {
    const source = readFileSync("tests/core/frontend.ts", "utf8");

    expect(readFileSync("src/core/README.md", "utf8")).toContain(`\`\`\`ts\n${source}\`\`\``);
  });

  it("asks who it is where nobody is signed in", () => {
    tell({ session: "out" });

    expect(core.signIn).toHaveBeenCalledExactlyOnceWith("login", "password");
  });

  it("shows the buyer who waits longest, and stays with him while somebody types", () => {
    tell({ session: "in", conversations: { a: waits("a", 2_000, "有货吗"), b: waits("b", 1_000, "在吗") } });
    expect(words()).toEqual(["在吗"]);

    tell({ conversations: { a: waits("a", 500, "有货吗"), b: waits("b", 1_000, "在吗") } });
    expect(words()).toEqual(["在吗"]);
  });

  it("sends what was typed, to whom it shows, and gives it back when it was stopped", () => {
    box().value = "在的";
    box().dispatchEvent(new Event("input"));
    box().dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));

    expect(core.draft).toHaveBeenLastCalledWith("b", "在的");
    expect(core.send).toHaveBeenCalledExactlyOnceWith("b", "在的");
    expect(box().value).toBe("");

    tell({ drafts: { b: "在的" }, refusals: { b: { code: "blocked", text: "在的", hits: [], id: "c1" } } });
    expect(box().value).toBe("在的");
  });
});
