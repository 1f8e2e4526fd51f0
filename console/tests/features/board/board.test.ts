import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { speak } from "@/locales/i18n.ts";

import { rawAgent, rawFigures, rawTile, rawTotals } from "../../core/boards.ts";
import { NOW, core, mark, pass, publish, publishParts, reset, show, world } from "./showing.ts";

vi.mock("@/live.ts", () => ({ useLive: () => ({ core, live: world.live }) }));
vi.mock("@/now.ts", async (original) => ({ ...(await original<object>()), useNow: () => world.now }));

const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1_000).toISOString();
const waits = (secondsAgo: number, agent: string | null = "a1", conversation = `c${secondsAgo}`) => ({ conversation_id: conversation, agent_id: agent, waiting_since: at(secondsAgo) });

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
  reset();
  await speak("zh-CN");
  return () => vi.useRealTimers();
});

describe("the board", () => {
  it("looks at the shop's board as long as it is shown, again before the worker forgets", async () => {
    const { page } = await show();
    expect(core.board).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(30_000);
    expect(core.board).toHaveBeenCalledTimes(3);

    page.unmount();
    vi.advanceTimersByTime(60_000);

    expect(core.board).toHaveBeenCalledTimes(3);
  });

  it("shows grey rows until something is known, and then figures", async () => {
    world.live.board = { status: "asked", latest: null, through: null };
    const { page, tile } = await show();
    expect(page.get("[role=status]").attributes("aria-label")).toBe("正在取看板");

    publish({ waiting: 2, waiting_longest: [waits(192), waits(20, null)], open_conversations: 418, agents: [rawTile({ name: "客服7号" })] });
    await flushPromises();

    expect(tile("等待中")).toContain("2 排队 1 · 已分配 1");
    expect(tile("最久等待")).toContain("3:12 客服7号");
    expect(tile("接待中")).toContain("418");
    expect(tile("在线客服")).toContain("1");
    expect(tile("平均响应")).toContain("27.4秒 10 轮对话");
    expect(tile("首次 30 秒")).toContain("90.0% 10 个会话");
    expect(tile("未回复")).toContain("1");
    expect(tile("拦截")).toContain("3 违规：客服 1 · 买家 2");
    expect(page.text()).toContain("截至 08:00:59");
  });

  it("shows zeros as zeros, and why there is no figure where there is none", async () => {
    publish({ open_conversations: 0, messages: 0, held: 0 });
    const { tile } = await show("/board?profile=jd_2021");

    expect(tile("等待中")).toContain("0 没有买家在等");
    expect(tile("最久等待")).toContain("— 没有买家在等");
    expect(tile("平均响应")).toContain("— 尚无，只计 09:00–23:00");
    expect(tile("首次 30 秒")).toContain("—");
    expect(tile("拦截")).toContain("0");
  });

  it("does not count online agents while some are not on the board, and says so", async () => {
    publish({ agents: [rawTile()], agents_left_out: 231 });
    const { page, tile } = await show();

    expect(tile("在线客服")).toContain("— 另有 231 位客服没有列出");
    expect(page.find("[role=table]").text()).toContain("另有 231 位客服没有列出");
  });

  it("counts by the profile in the address, and keeps what is chosen there", async () => {
    publish();
    const { page, router, tile } = await show();
    expect(tile("平均响应")).toContain("27.4");

    await page.get("select").setValue("jd_2021");
    await flushPromises();

    expect(router.currentRoute.value.query).toEqual({ profile: "jd_2021" });
    expect(tile("平均响应")).toContain("—");
  });

  it.each([
    [10, "level-0"],
    [20, "level-1"],
    [100, "level-2"],
    [180, "level-3"],
  ])("colours a wait of %d s as %s", async (seconds, level) => {
    publish({ waiting: 1, waiting_longest: [waits(seconds)] });
    const { page } = await show();

    expect(page.findAll(".tile")[1]?.classes()).toContain(level);
  });

  it("says how much room there is, who is near the limit, and whose wording it was", async () => {
    const full = { open_conversations: 8, capacity: 8, groups: ["g1"], flags: 2, held: 1 };
    publishParts(rawTotals({ capacity: 18, levels: [2, 1, 0] }), rawAgent({ ...full, name: "客服7号" }), rawAgent({ agent_id: "a2", open_conversations: 0, capacity: 10, groups: ["g2"] }));
    const { page, tile } = await show();

    expect(tile("等待中")).toContain("2 预警 1 · 排队 1 · 已分配 1");
    expect(tile("在线客服")).toContain("2 容量 18");
    const rows = page.findAll("[role=rowgroup] [role=row]").map((row) => row.findAll("[role=cell]").map((cell) => cell.text()));
    expect(rows.map((cells) => [cells[1], cells.at(-1)])).toEqual([
      ["0/10", "–"],
      ["8/8", "3"],
    ]);
  });

  it("shows the agents of one group, which stands in the address", async () => {
    world.answers["/v1/skill-groups"] = { items: [{ id: "g1", name: "售前" }, { id: "g2", name: "售后" }] };
    publishParts(rawTotals(), rawAgent({ name: "客服7号", groups: ["g1"] }), rawAgent({ agent_id: "a2", name: "客服2号", groups: ["g2"] }));
    const { page, router, names } = await show();
    expect(names()).toHaveLength(2);

    await page.findAll("select")[1]?.setValue("g2");
    await flushPromises();

    expect(names()).toEqual(["客服2号"]);
    expect(router.currentRoute.value.query).toEqual({ group: "g2" });
  });

  it("lets waits go on between two boards", async () => {
    publish({ waiting: 1, waiting_longest: [waits(58)] });
    const { tile } = await show();
    expect(tile("最久等待")).toContain("0:58");

    pass(3_000);
    await flushPromises();

    expect(tile("最久等待")).toContain("1:01");
  });
});

describe("a board that is old", () => {
  it("says how far it lags", async () => {
    publish({ delayed_ms: 8_000 });
    const { page } = await show();

    expect(page.text()).toContain("延迟 8 秒");
  });

  it("says so too where boards stay away although somebody waits", async () => {
    publish({ waiting: 1, waiting_longest: [waits(10)] });
    const { page } = await show();
    pass(11_000);
    await flushPromises();
    expect(page.text()).not.toContain("延迟");

    pass(3_000);
    await flushPromises();

    expect(page.text()).toContain("延迟 14 秒");
  });

  it("says since when it is not current where nobody looks after it, and recovers by itself", async () => {
    publish();
    mark(NOW);
    const { page, tile } = await show();
    pass(8_000);
    await flushPromises();
    expect(page.text()).not.toContain("没有更新");

    pass(1_000);
    await flushPromises();
    expect(page.text()).toContain("数字自 08:01:00 起没有更新");
    expect(page.get("main").classes()).toContain("old");
    expect(tile("接待中")).toContain("12");

    mark(NOW + 9_000);
    await flushPromises();
    expect(page.text()).not.toContain("没有更新");
    expect(page.get("main").classes()).not.toContain("old");
  });

  it("says so on the wall too", async () => {
    publish();
    mark(NOW);
    const { page } = await show("/board?kiosk=1");
    pass(9_000);
    await flushPromises();

    expect(page.text()).toContain("数字自 08:01:00 起没有更新");
  });

  it("is current as long as boards come, whether or not somebody says so", async () => {
    publish();
    mark(NOW);
    const { page } = await show();
    pass(30_000);
    publish({ time: new Date(NOW + 30_000).toISOString() });
    await flushPromises();

    expect(page.text()).not.toContain("没有更新");
  });

  it("is grey and says since when, once the connection has been away for ten seconds", async () => {
    publish();
    const { page, tile } = await show();
    world.live.connection = "lost";
    world.live.connectionSince = NOW;
    pass(9_000);
    await flushPromises();
    expect(page.get("main").classes()).not.toContain("old");

    pass(3_000);
    await flushPromises();

    expect(page.get("main").classes()).toContain("old");
    expect(page.text()).toContain("连接中断于 08:01:00");
    expect(tile("接待中")).toContain("12");
  });

  it("says why there is none", async () => {
    world.live.board = { status: "missing", latest: null, through: null };
    const { page } = await show();
    expect(page.text()).toContain("看板服务暂时没有回答");

    world.live.board = { status: "refused", latest: null, through: null };
    await flushPromises();

    expect(page.text()).toContain("这个账号不能看看板");
  });
});

describe("the agents", () => {
  const agents = [
    rawTile({ agent_id: "a1", name: "客服1号", open_conversations: 3, figures: [rawFigures("taobao_2022", { round_ms: 400_000 })] }),
    rawTile({ agent_id: "a2", name: "客服2号", open_conversations: 8, longest_wait_ms: 107_000, figures: [rawFigures("taobao_2022", { round_ms: 100_000 })] }),
    rawTile({ agent_id: "a10", name: "客服10号", open_conversations: 5, longest_wait_ms: 192_000, breaching: 1, figures: [] }),
  ];

  it("stand by the longest wait, and by any column that is pressed", async () => {
    publish({ agents });
    const { page, router, names } = await show();
    expect(names()).toEqual(["客服10号", "客服2号", "客服1号"]);
    expect(page.get("[aria-sort=descending]").text()).toBe("最久等待");

    const mean = page.findAll("[role=columnheader] button").find((one) => one.text() === "平均响应");
    await mean?.trigger("click");
    await flushPromises();
    expect(names()).toEqual(["客服1号", "客服2号", "客服10号"]);
    await mean?.trigger("click");
    await flushPromises();

    expect(names()).toEqual(["客服2号", "客服1号", "客服10号"]);
    expect(router.currentRoute.value.query).toEqual({ sort: "mean" });
  });

  it("are sorted by name as people count", async () => {
    publish({ agents });
    const { names } = await show("/board?sort=name");

    expect(names()).toEqual(["客服1号", "客服2号", "客服10号"]);
  });

  it("show state, load, wait and figures, a dash where there is none", async () => {
    publish({ agents });
    const { page } = await show();

    const cells = page.findAll("[role=row]").slice(1).map((row) => row.findAll("[role=cell]").map((cell) => cell.text()));
    expect(cells).toEqual([
      ["在线", "5", "3:12", "1", "–", "–", "–", "–"],
      ["在线", "8", "1:47", "–", "10 秒", "90%", "1", "–"],
      ["在线", "3", "–", "–", "40 秒", "90%", "1", "–"],
    ]);
    expect(page.findAll("[role=row]").map((row) => row.classes().find((name) => name.startsWith("level")))).toEqual([undefined, "level-3", "level-2", "level-0"]);
  });

  it("do not move under the pointer, and do when it leaves", async () => {
    publish({ agents });
    const { page, names } = await show();
    await page.get("[role=rowgroup]").trigger("pointermove");

    publish({ agents: [rawTile({ agent_id: "a1", name: "客服1号", longest_wait_ms: 300_000 }), ...agents.slice(1)] });
    await flushPromises();
    expect(names()).toEqual(["客服10号", "客服2号", "客服1号"]);
    expect(page.text()).toContain("顺序已更新");
    await page.get("[role=rowgroup]").trigger("pointerleave");

    expect(names()).toEqual(["客服1号", "客服10号", "客服2号"]);
  });

  it("are drawn only where something changed", async () => {
    publish({ agents });
    const { page } = await show();
    const drawn = page.findAll("[role=row]").map((row) => row.element);
    let changes = 0;
    const watcher = new MutationObserver((found) => (changes += found.length));
    for (const row of drawn) watcher.observe(row, { subtree: true, childList: true, characterData: true, attributes: true });

    publish({ agents, messages: 121 });
    await flushPromises();

    expect(changes).toBe(0);
    watcher.disconnect();
  });

  it("are a screenful in the page, however many there are", async () => {
    publish({ agents: Array.from({ length: 500 }, (_, index) => rawTile({ agent_id: `a${index}`, name: `客服${index}号` })) });
    const { page } = await show();

    expect(page.get("[role=table]").attributes("aria-rowcount")).toBe("501");
    expect(page.findAll("[role=rowheader]").length).toBeLessThan(60);
  });

  it("speak English where somebody wants it", async () => {
    await speak("en");
    publish({ agents, waiting: 1, waiting_longest: [waits(30)] });
    const { page, tile } = await show();

    expect(tile("Longest wait")).toContain("0:30");
    expect(page.get("select").text()).toContain("Taobao 2022");
    expect(page.text()).not.toMatch(/[一-龥]{3,}(?<!客服\d*号|旗舰店)/);
  });
});
