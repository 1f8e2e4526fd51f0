import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { useConversations } from "@/features/board/useConversations.ts";

import { core, reset, world } from "./showing.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));

const row = (id: string) => ({ id, buyer: { name: "王*明" }, agent_id: "a7", state: "assigned", head: null });
const KNOWN = { "/v1/conversations?ids=c1": { items: [row("c1")] } };

beforeEach(reset);

describe("what is told of conversations", () => {
  it("is asked for again where nobody answered, and stays as it was meanwhile", async () => {
    const { told, want } = useConversations();
    world.answers = { "/v1/conversations?ids": Object.assign(new Error("away"), { code: "unreachable" }) };
    want(["c1"]);
    await flushPromises();
    expect(told.get("c1")).toBeUndefined();

    world.answers = KNOWN;
    want(["c1"]);
    await flushPromises();
    expect(told.get("c1")?.buyer).toBe("王*明");

    world.answers = { "/v1/conversations?ids": Object.assign(new Error("away"), { code: "unreachable" }) };
    want(["c1"], true);
    await flushPromises();
    expect(told.get("c1")?.buyer).toBe("王*明");
  });

  it("is asked for fifty at once, and is nothing of what is not answered", async () => {
    const ids = Array.from({ length: 60 }, (_, number) => `d${number}`);
    world.answers = { "/v1/conversations?ids=": { items: [row("d0"), row("d55")] } };
    core.get.mockClear();
    const { told, want } = useConversations();

    for (const id of ids) want([id]);
    await flushPromises();

    const asked = core.get.mock.calls.map(([path]) => String(path).split("=")[1]?.split(",").length);
    expect(asked).toEqual([50, 10]);
    expect([told.get("d0")?.buyer, told.get("d55")?.buyer, told.get("d1")]).toEqual(["王*明", "王*明", null]);
  });

  it("is nothing where it is refused", async () => {
    const { told, want } = useConversations();
    want(["c1"]);
    await flushPromises();

    expect(told.get("c1")).toBeNull();
  });
});
