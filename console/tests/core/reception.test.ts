import { expect, it } from "vitest";

import { end, receivers, transfer, type Call } from "@/core/reception.ts";

const asked: unknown[] = [];
const answers: Record<string, unknown> = {
  "/v1/agents?fields=load&limit=200": {
    items: [
      { id: "me", name: "我", role: "agent", state: "online" },
      { id: "d", name: "小赵", role: "agent", state: "online", load: 8, capacity: 8, waiting: 3 },
      { id: "c", name: "小周", role: "agent", state: "online", load: 4, capacity: 8, waiting: 1 },
      { id: "a", name: "小王", role: "agent", state: "online" },
      { id: "b", name: "小李", role: "agent", state: "offline" },
    ],
  },
  "/v1/skill-groups": { items: [{ code: "after_sale", name: "售后" }] },
};
const call: Call = (method, path, body) => {
  asked.push([method, path, body]);
  return Promise.resolve(answers[path]);
};

it("offers groups and colleagues who receive buyers, the fullest last, and not oneself", async () => {
  expect((await receivers(call, "me")).map((one) => `${one.kind} ${one.name}`)).toEqual(["group 售后", "agent 小王", "agent 小周", "agent 小赵"]);
});

it("hands on to a person or to a group, with the note, and ends", async () => {
  asked.length = 0;

  await transfer(call, "c", { kind: "agent", id: "a", name: "小王" }, "改地址");
  await transfer(call, "c", { kind: "group", id: "after_sale", name: "售后" }, "退货");
  await end(call, "c");

  expect(asked).toEqual([
    ["POST", "/v1/conversations/c/transfer", { to_agent: "a", note: "改地址" }],
    ["POST", "/v1/conversations/c/transfer", { to_group: "after_sale", note: "退货" }],
    ["POST", "/v1/conversations/c/close", {}],
  ]);
});
