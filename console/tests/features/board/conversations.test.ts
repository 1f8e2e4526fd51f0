import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { useConversations } from "@/features/board/useConversations.ts";

import { core, reset, world } from "./showing.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));

const KNOWN = { "/v1/conversations/c1/messages": { items: [] }, "/v1/conversations/c1": { id: "c1", buyer: { name: "王*明" }, agent_id: "a7", state: "assigned" } };

beforeEach(reset);

describe("what is told of conversations", () => {
  it("is asked for again where nobody answered, and stays as it was meanwhile", async () => {
    const { told, want } = useConversations();
    world.answers = { "/v1/conversations/": Object.assign(new Error("away"), { code: "unreachable" }) };
    want(["c1"]);
    await flushPromises();
    expect(told.get("c1")).toBeUndefined();

    world.answers = KNOWN;
    want(["c1"]);
    await flushPromises();
    expect(told.get("c1")?.buyer).toBe("王*明");

    world.answers = { "/v1/conversations/": Object.assign(new Error("away"), { code: "unreachable" }) };
    want(["c1"], true);
    await flushPromises();
    expect(told.get("c1")?.buyer).toBe("王*明");
  });

  it("is nothing where it is refused", async () => {
    const { told, want } = useConversations();
    want(["c1"]);
    await flushPromises();

    expect(told.get("c1")).toBeNull();
  });
});
