import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { nextTick } from "vue";

import { phrases } from "@/features/board/useViolations.ts";
import { speak } from "@/locales/i18n.ts";
import { zone } from "@/zone.ts";

import { rawFigures, rawTile } from "../../core/boards.ts";
import { NOW, core, publish, reset, show, world } from "./showing.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));
vi.mock("@/now.ts", async (original) => ({ ...(await original<object>()), useNow: () => world.now }));

const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1_000).toISOString();
const waiter = { conversation_id: "c1", agent_id: "a7", waiting_since: at(192) };
const agents = [rawTile({ agent_id: "a7", name: "客服7号", longest_wait_ms: 192_000, breaching: 1 })];
const HIT = { category: "shirking", surface: "爱买不买", start: 0, end: 4, severity: "high" };
const ALERT = { conversation_id: "c1", speaker: null, action: null, threshold_s: null, text: null, confirmed: null, acknowledged: null, feedback: [] };
const INCIDENT = { ...ALERT, id: "i1", kind: "incident", person_id: "a7", action: "block", text: "爱买不买，随你", categories: ["shirking"], hits: [HIT, HIT], at: at(60) };
const FLAG = { ...ALERT, id: "m1", kind: "flag", person_id: "b1", speaker: "buyer", at: at(30), categories: ["anger"], hits: [{ ...HIT, category: "anger", surface: "骗子店" }] };
const WAIT = { ...ALERT, id: "w1", kind: "waiting", person_id: null, threshold_s: 180, categories: [], hits: [], at: at(90) };
const DONE = { alert_id: "i1", person_id: "boss", name: "林主管", verdict: "handled", note: "", at: at(10) };

beforeEach(async () => {
  reset();
  zone.value = "Asia/Shanghai";
  world.answers = {
    ...world.answers,
    "/v1/conversations?ids=": { items: [{ id: "c1", buyer: { name: "王*明" }, agent_id: "a7", state: "assigned", head: { by: "buyer", preview: "你们到底什么时候发货", at: at(192) } }] },
    "/v1/monitor/alerts": { items: [FLAG, INCIDENT, WAIT], next_cursor: null },
  };
  publish({ waiting: 1, waiting_longest: [waiter], agents });
  await speak("zh-CN");
});

describe("what lies behind a figure", () => {
  it("opens beside the board, with an address of its own, and closes again", async () => {
    const { page, router } = await show();
    await page.findAll(".tile")[0]?.trigger("click");
    await flushPromises();

    const drawer = page.get("[role=dialog]");
    expect(router.currentRoute.value.query).toEqual({ drill: "waiting" });
    expect(drawer.attributes("aria-label")).toBe("等待中的买家");
    expect(drawer.get("li").text()).toMatch(/王\*明.*客服7号.*3:12.*你们到底什么时候发货/);

    await drawer.trigger("keydown", { key: "Escape" });
    await flushPromises();

    expect(page.find("[role=dialog]").exists()).toBe(false);
    expect(router.currentRoute.value.query).toEqual({});
  });

  it("lists who waits as the board has them, and behind them those who do not fit into it", async () => {
    const late = { conversation_id: "c9", agent_id: null, waiting_since: at(5) };
    const answered = { conversation_id: "c8", agent_id: "a7", waiting_since: at(400) };
    world.answers["/v1/monitor/waiting"] = { items: [answered, waiter, late] };
    publish({ waiting: 2, waiting_longest: [waiter], agents });
    const { page } = await show("/board?drill=waiting");

    expect(page.findAll("[role=dialog] li").map((row) => row.get(".timer").text())).toEqual(["3:12", "0:05"]);
  });

  it("leads to a conversation, read only, and back to the list", async () => {
    const { page, router } = await show("/board?drill=waiting");
    await page.get("[role=dialog] li button").trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.query).toEqual({ drill: "waiting", talk: "c1" });
    expect(page.get("[role=dialog] .talk").text()).toBe("c1");

    await page.get("[role=dialog]").trigger("keydown", { key: "Escape" });
    await flushPromises();

    expect(router.currentRoute.value.query).toEqual({ drill: "waiting" });
    expect(page.get("[role=dialog] li").text()).toContain("王*明");
  });

  it("lists an agent's conversations, the longest wait first", async () => {
    world.answers = { "/v1/conversations?state=assigned&agent_id=a7": { items: [{ id: "c2", agent_id: "a7" }, { id: "c1", agent_id: "a7" }], next_cursor: null }, ...world.answers };
    const { page } = await show();
    await page.get("[role=rowheader] button").trigger("click");
    await flushPromises();

    const drawer = page.get("[role=dialog]");
    expect(drawer.attributes("aria-label")).toBe("客服7号 的会话");
    expect(drawer.findAll("li").map((row) => row.text())[0]).toContain("王*明");
    expect(drawer.findAll("li")[1]?.text()).toContain("这个会话暂时看不到");
  });

  it("says so when the list cannot be had, and asks again when told", async () => {
    const { page } = await show("/board?drill=open");
    expect(page.get("[role=dialog]").text()).toContain("列表暂时取不到");
    world.answers = { "/v1/conversations?view=": { items: [], next_cursor: null }, ...world.answers };

    await page.get("[role=dialog] .strip button").trigger("click");
    await flushPromises();

    expect(page.get("[role=dialog]").text()).toContain("现在没有会话");
  });

  it("says what response figures are made of, and by whom", async () => {
    const { page } = await show("/board?drill=figures");

    expect(page.get("[role=dialog]").text()).toContain("平均响应 27.4 秒：10 轮对话共 274 秒。");
    expect(page.get("[role=dialog] tbody").text()).toMatch(/客服7号.*27.4 秒.*90%/);
  });

  it("opens the rounds of a number page by page, and a conversation where one begins", async () => {
    const round = (conversation: string, secondsAgo: number) => ({ conversation_id: conversation, agent_id: "a7", at: at(secondsAgo), took_ms: null, outcome: "unanswered" });
    world.answers = {
      "/v1/monitor/rounds?shop=s&profile=taobao_2022&from=2026-11-11&to=2026-11-12&limit=50&outcome=unanswered&cursor=": { items: [round("c2", 90)], next_cursor: null },
      "/v1/monitor/rounds?shop=s&profile=taobao_2022&from=2026-11-11&to=2026-11-12&limit=50&outcome=unanswered": { items: [round("c1", 50)], next_cursor: "more" },
      ...world.answers,
    };
    const { page, router } = await show();
    await page.findAll(".tile").find((one) => one.text().startsWith("未回复"))?.trigger("click");
    await flushPromises();

    const drawer = page.get("[role=dialog]");
    expect(router.currentRoute.value.query).toEqual({ drill: "rounds.unanswered" });
    expect(drawer.attributes("aria-label")).toBe("一直没有回复的对话");
    expect(drawer.text()).toContain("最近的 1 个，还有更多");
    await drawer.get(".more").trigger("click");
    await flushPromises();
    expect(drawer.text()).toContain("今天共 2 个");
    expect(drawer.findAll("li").map((row) => row.text())[0]).toMatch(/08:00:10.*王\*明.*客服7号.*未回复/);
    await drawer.get("li button").trigger("click");
    await flushPromises();

    expect(router.currentRoute.value.query).toEqual({ drill: "rounds.unanswered", talk: "c1", at: `${NOW - 50_000}` });
  });

  it("asks for the shop's own day, also where its zone is told after the page was opened", async () => {
    zone.value = "America/New_York";
    world.answers = { "/v1/monitor/rounds?shop=s&profile=taobao_2022&from=2026-11-11&": { items: [{ conversation_id: "c1", agent_id: null, at: at(50), took_ms: 4_000, outcome: "within" }], next_cursor: null }, "/v1/monitor/rounds": { items: [], next_cursor: null }, ...world.answers };
    const { page } = await show("/board?drill=rounds.all");
    expect(page.get("[role=dialog]").text()).toContain("今天没有这样的对话");

    zone.value = "Asia/Shanghai";
    await flushPromises();

    expect(page.get("[role=dialog] li").text()).toMatch(/08:00:10.*没有客服.*4 秒.*按时/);
  });

  it("opens the rounds of other days, where the address names them, until something else is opened", async () => {
    world.answers = { "/v1/monitor/rounds?shop=s&profile=taobao_2022&from=2026-11-01&to=2026-11-04&": { items: [{ conversation_id: "c1", agent_id: "a7", at: "2026-11-02T02:00:00Z", took_ms: 4_000, outcome: "within" }], next_cursor: null }, ...world.answers };
    const { page, router } = await show("/board?drill=rounds.all.a7&from=2026-11-01&to=2026-11-04");

    expect(page.get("[role=dialog] .count").text()).toBe("2026-11-01 至 2026-11-03 共 1 个，最近在前");
    expect(page.get("[role=dialog] li").text()).toMatch(/11\D02.*10:00.*4 秒/);
    await page.findAll(".tile")[0]?.trigger("click");
    await flushPromises();

    expect(router.currentRoute.value.query).toEqual({ drill: "waiting" });
  });

  it("opens an agent's own rounds and sessions from his row", async () => {
    world.answers = { "/v1/monitor/rounds": { items: [], next_cursor: null }, "/v1/monitor/sessions": { items: [], next_cursor: null }, ...world.answers };
    const { page, router } = await show();
    const numbers = () => page.findAll("[role=row] .number");
    await numbers().find((one) => one.text() === "27.4 秒")?.trigger("click");
    await flushPromises();
    expect(router.currentRoute.value.query).toEqual({ drill: "rounds.all.a7" });
    expect(page.get("[role=dialog]").attributes("aria-label")).toBe("客服7号 · 计入平均响应的对话");
    await numbers().find((one) => one.text() === "90%")?.trigger("click");
    await flushPromises();

    expect(router.currentRoute.value.query).toEqual({ drill: "sessions.all.a7" });
    expect(core.get.mock.calls.map(([path]) => path)).toContain("/v1/monitor/sessions?shop=s&profile=taobao_2022&from=2026-11-11&to=2026-11-12&limit=50&agent=a7");
    expect(page.get("[role=dialog]").text()).toContain("今天没有这样的对话");
  });

  it("says why there are no response figures, and shows no empty table", async () => {
    publish({ figures: [rawFigures("jd_2021", { rounds: 0, round_ms: 0, sessions: 0, first_within: 0 })], agents: [] });
    const { page } = await show("/board?drill=figures");

    expect(page.get("[role=dialog]").text()).toContain("尚无，只计 09:00–23:00");
    expect(page.find("[role=dialog] table").exists()).toBe(false);
  });

  it("is nothing for a word in the address that names none", async () => {
    const { page } = await show("/board?drill=constructor");
    const second = await show("/board?drill=rounds.constructor");

    expect(page.find("[role=dialog]").exists()).toBe(false);
    expect(second.page.find("[role=dialog]").exists()).toBe(false);
  });
});

describe("flags and held messages", () => {
  it("name what was found once, though rules find it whole and in part", () => {
    const hit = (start: number, end: number, surface: string) => ({ category: "anger", start, end, surface });

    expect(phrases([hit(0, 3, "催什么"), hit(0, 4, "催什么催")])).toEqual(["催什么催"]);
    expect(phrases([hit(2, 4, "么催"), hit(0, 3, "𠮷什么"), hit(6, 8, "骗子")])).toEqual(["𠮷什么催", "骗子"]);
    expect(phrases([hit(0, 2, "骗子"), hit(5, 7, "骗子")])).toEqual(["骗子"]);
  });

  it("say who, when, by which phrase and why, the newest first", async () => {
    const { page } = await show();

    const [flag, held, wait] = page.findAll(".violations li").map((row) => row.text());
    expect(flag).toMatch(/买家用语.*王\*明.*客服7号.*08:00:30.*骗子店/);
    expect(held).toMatch(/已拦截.*客服7号.*王\*明.*08:00:00.*爱买不买.*推脱.*买家没有看到.*爱买不买，随你/);
    expect(wait).toMatch(/超时.*王\*明.*客服7号.*07:59:30.*等待超过 180 秒.*打开.*已处理/);
    expect(wait).not.toContain("误判");
    expect(page.findAll(".violations mark").map((mark) => mark.text())).toEqual(["骗子店", "爱买不买"]);
  });

  it("name who had the buyer when he had waited too long, whoever has him now", async () => {
    world.answers["/v1/monitor/alerts"] = { items: [{ ...WAIT, person_id: "a9" }], next_cursor: null };
    publish({ agents: [rawTile({ agent_id: "a7", name: "客服7号" }), rawTile({ agent_id: "a9", name: "客服9号" })] });
    const { page } = await show();

    expect(page.get(".violations li").text()).toMatch(/超时.*王\*明.*客服9号/);
  });

  it("lead to the conversation", async () => {
    const { page, router } = await show();
    await page.get(".violations li button").trigger("click");
    await flushPromises();

    expect(router.currentRoute.value.query).toEqual({ drill: "flags", talk: "c1", at: `${NOW - 30_000}` });
  });

  it("say that there are none, and that they cannot be had", async () => {
    world.answers["/v1/monitor/alerts"] = { items: [], next_cursor: null };
    const { page } = await show();
    expect(page.get(".violations").text()).toContain("没有违规，也没有告警");

    world.answers["/v1/monitor/alerts"] = new Error("away");
    const second = await show();
    expect(second.page.get(".violations").text()).toContain("列表暂时取不到");
  });

  it("are taken care of once, and say who did it and when", async () => {
    const { page } = await show();
    const row = () => page.findAll(".violations li")[1]!;
    const press = (label: string) => row().findAll("button").find((one) => one.text() === label)?.trigger("click");
    world.answers["/v1/monitor/alerts"] = { items: [FLAG, { ...INCIDENT, acknowledged: DONE }, WAIT], next_cursor: null };

    core.call.mockResolvedValue(DONE);
    await press("已处理");
    await press("误判");
    await flushPromises();

    expect(core.call.mock.calls.map(([method, path, body]) => [method, path, body])).toEqual([["POST", "/v1/monitor/alerts/i1/acknowledge", { verdict: "handled" }]]);
    expect(row().text()).toContain("林主管 08:00:50 已处理");
    expect(row().findAll("button").map((one) => one.text())).toEqual(["看前后"]);
  });

  it("are asked to be taken care of again by the same key where no answer came", async () => {
    core.call.mockRejectedValueOnce(new Error("away"));
    core.call.mockResolvedValue(DONE);
    const { page } = await show();
    const press = () => page.findAll(".violations li")[1]!.findAll("button").find((one) => one.text() === "误判")?.trigger("click");

    await press();
    await flushPromises();
    expect(page.get(".violations").text()).toContain("没有记下");
    await press();
    await flushPromises();

    const keys = core.call.mock.calls.map(([, , , how]) => how?.key);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it("show what agents made of them, and why something was said all the same", async () => {
    const meant = { ...INCIDENT, action: "confirm", confirmed: { reason: "买家问的" }, feedback: [{ ...DONE, name: "客服7号", verdict: "not_abusive", note: "是商品名" }] };
    world.answers["/v1/monitor/alerts"] = { items: [meant], next_cursor: null };
    const { page } = await show();

    expect(page.get(".violations li").text()).toMatch(/要求确认.*仍然发送：买家问的.*客服7号 认为误判.*是商品名/);
  });

  it("are listed from the oldest that is shown once the connection is back", async () => {
    vi.useFakeTimers();
    try {
      const { page } = await show();
      world.answers["/v1/monitor/alerts"] = { items: [{ ...FLAG, id: "m9", at: at(1) }, FLAG, INCIDENT, WAIT], next_cursor: null };

      world.live.connection = "lost";
      await nextTick();
      world.live.connection = "connected";
      await vi.advanceTimersByTimeAsync(2_000);

      expect(core.get.mock.calls.map(([path]) => path).filter((path) => path.startsWith("/v1/monitor/alerts")).at(-1)).toBe("/v1/monitor/alerts?limit=200&after=w1");
      expect(page.findAll(".violations li")).toHaveLength(4);
    } finally {
      vi.useRealTimers();
    }
  });
});
