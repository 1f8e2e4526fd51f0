import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Rest } from "@/core/rest.ts";

const asked: { path: string; tag: string | undefined }[] = [];
let answers: Response[];

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal("fetch", (path: string, { headers = {} }: { headers?: Record<string, string> }) => {
    asked.push({ path, tag: headers["If-None-Match"] });
    return Promise.resolve(answers.shift() ?? new Response(null, { status: 304 }));
  });
});
afterEach(() => vi.unstubAllGlobals());

const list = (items: string[], tag: string) => new Response(JSON.stringify({ items }), { headers: { ETag: tag } });
const QUEUE = "/v1/conversations?view=queue&limit=50";

describe("a list that is asked for again and again", () => {
  it("is sent again only where it has changed", async () => {
    answers = [list(["a"], '"1"'), new Response(null, { status: 304 }), list(["a", "b"], '"2"')];
    const rest = new Rest(0);

    const found = [await rest.call("GET", QUEUE, "t"), await rest.call("GET", QUEUE, "t"), await rest.call("GET", QUEUE, "t")];

    expect(found).toEqual([{ items: ["a"] }, { items: ["a"] }, { items: ["a", "b"] }]);
    expect(asked.map((one) => one.tag)).toEqual([undefined, '"1"', '"1"']);
  });

  it("is remembered for nobody who signs in later, and not for ever", async () => {
    answers = [list(["a"], '"1"'), new Response("{}"), ...Array.from({ length: 20 }, (_, number) => list([], `"${number}"`))];
    const rest = new Rest(0);
    await rest.call("GET", QUEUE, "t");
    await rest.signIn("chen", "secret");

    for (let page = 0; page < 17; page += 1) await rest.call("GET", `${QUEUE}&cursor=${page}`, "t");
    await rest.call("GET", `${QUEUE}&cursor=0`, "t");

    expect(asked.every((one) => one.tag === undefined)).toBe(true);
  });

  it("leaves what is no list as it is", async () => {
    answers = [list([], '"1"'), list([], '"1"')];
    const rest = new Rest(0);

    for (let turn = 0; turn < 2; turn += 1) await rest.call("GET", "/v1/orders/o1", "t");

    expect(asked.map((one) => one.tag)).toEqual([undefined, undefined]);
  });
});

describe("a refusal", () => {
  it("says which part of what was sent is wrong", async () => {
    const problem = { code: "invalid", title: "not valid", trace_id: "t1", errors: [{ pointer: "#/capacity", detail: "too much" }] };
    answers = [new Response(JSON.stringify(problem), { status: 422 })];

    const refused = new Rest(0).call("PATCH", "/v1/staff/a1", "t", { capacity: 900 });

    await expect(refused).rejects.toMatchObject({ code: "invalid", status: 422, trace: "t1", faults: problem.errors });
  });
});

it("a file for spreadsheets keeps the mark by which they know UTF-8", async () => {
  answers = [new Response("\ufeffagent\r\n客服甲\r\n", { headers: { "Content-Type": "text/csv; charset=utf-8" } })];
  expect(await new Rest(0).call("GET", "/v1/monitor/hours", "t", undefined, { accept: "text/csv" })).toBe("\ufeffagent\r\n客服甲\r\n");
});
