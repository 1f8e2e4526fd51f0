import { flushPromises } from "@vue/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { shallowReactive } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";

import type { Me, Session } from "@/core/types.ts";
import { admit, guard } from "@/shell/guard.ts";

vi.mock("@/core/page.ts", () => ({ slotOfTab: () => 0, useSlot: vi.fn() }));

const desk = (fullPath = "/desk") => ({ name: "desk", fullPath, query: {}, meta: { title: "" } });
const signIn = (query = {}) => ({ name: "sign-in", fullPath: "/sign-in", query, meta: { title: "", open: true } });
const start = { name: "start", fullPath: "/", query: {}, meta: { title: "" } };

function shown(session: Session, role = "agent"): { session: Session; me: Me | null } {
  return { session, me: session === "in" ? ({ role } as Me) : null };
}

describe("the guard of places", () => {
  beforeEach(() => sessionStorage.clear());

  it("asks who has not signed in to do so, and remembers where they wanted to go", () => {
    expect(admit(desk("/desk/c1"), shown("out"))).toEqual({ name: "sign-in", query: { next: "/desk/c1" } });
    expect(admit(desk(), shown("out"))).toEqual({ name: "sign-in", query: {} });
    expect(admit(signIn(), shown("out"))).toBe(true);
  });

  it("leads each role home, and whoever has no screen to the page that says so", () => {
    expect(admit(signIn(), shown("in"))).toBe("/desk");
    expect(admit(start, shown("in", "supervisor"))).toBe("/board");
    expect(admit(signIn(), shown("in", "admin"))).toBe("/board");
    expect(admit(signIn(), shown("in", "robot"))).toBe("/");
    expect(admit(start, shown("in", "robot"))).toBe(true);
    expect(admit(desk(), shown("in", "robot"))).toBe("/");
    expect(admit(start, shown("in", "clerk"))).toBe("/todo");
    expect(admit({ ...desk("/board"), name: "board" }, shown("in", "agent"))).toBe("/");
  });

  it("goes back to the wanted place", () => {
    expect(admit(signIn({ next: "/desk/c1" }), shown("in"))).toBe("/desk/c1");
  });

  it.each(["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])(
    "never goes to %s",
    (next) => {
      expect(admit(signIn({ next }), shown("in"))).toBe("/desk");
    },
  );

  it("leaves the address as it is where the worker answers before the place is loaded", async () => {
    let load: (place: object) => void = () => undefined;
    const place = new Promise<object>((resolve) => (load = resolve));
    const path = "/desk/:conversation?";
    const routes = [{ path: "/", name: "start", component: {} }, { path, name: "desk", component: () => place }];
    const router = createRouter({ history: createMemoryHistory(), routes });
    const live = shallowReactive(shown("unknown"));
    guard(router, live);
    const arrived = router.push("/desk/c1");

    Object.assign(live, shown("in"));
    await flushPromises();
    load({ render: () => null });
    await arrived;
    await flushPromises();

    expect(router.currentRoute.value.fullPath).toBe("/desk/c1");
  });

  it("decides nothing before it is known who is there", () => {
    expect(admit(desk(), shown("unknown"))).toBe(true);
  });
});
