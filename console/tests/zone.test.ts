import { afterEach, expect, it } from "vitest";

import { dayOf, inShop, zone } from "@/zone.ts";

const EVENING_IN_LONDON = Date.UTC(2026, 10, 11, 20, 30);
const HOUR_MS = 3_600_000;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

afterEach(() => (zone.value = undefined));

it("writes a moment as the shop's clocks show it, wherever one sits", () => {
  zone.value = "Asia/Shanghai";
  expect(new Intl.DateTimeFormat("zh-CN", inShop(CLOCK)).format(EVENING_IN_LONDON)).toBe("04:30");

  zone.value = "Europe/London";
  expect(new Intl.DateTimeFormat("zh-CN", inShop(CLOCK)).format(EVENING_IN_LONDON)).toBe("20:30");
});

it("begins a day when it begins in the shop", () => {
  zone.value = "Asia/Shanghai";
  const midnight = Date.UTC(2026, 10, 11, 16);
  expect(dayOf(midnight) - dayOf(midnight - 1)).toBe(1);
  expect(dayOf(midnight + 23 * HOUR_MS)).toBe(dayOf(midnight));

  zone.value = "Europe/London";
  expect(dayOf(midnight)).toBe(dayOf(midnight - 1));
});

it("counts one day on where the clocks are changed", () => {
  zone.value = "Europe/London";
  const [before, behind] = [Date.UTC(2026, 9, 24, 23, 30), Date.UTC(2026, 9, 25, 23, 30)];
  expect(dayOf(behind) - dayOf(before)).toBe(0);
  expect(dayOf(behind + HOUR_MS) - dayOf(before)).toBe(1);
});
