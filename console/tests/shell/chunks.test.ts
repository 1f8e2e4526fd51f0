import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { lazily, useStale } from "@/shell/chunks.ts";

describe("a part that is fetched later", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is asked for again when a deploy hid it for a moment", async () => {
    const load = vi.fn<() => Promise<string>>().mockRejectedValueOnce(new TypeError("404")).mockResolvedValue("part");
    const loaded = lazily(load)();
    await vi.advanceTimersByTimeAsync(1_000);
    await expect(loaded).resolves.toBe("part");
    expect(useStale().value).toBe(false);
  });

  it("is given up after three tries more, and the page says that there is a new version", async () => {
    const load = vi.fn<() => Promise<string>>().mockRejectedValue(new TypeError("404"));
    const loaded = expect(lazily(load)()).rejects.toThrow("404");
    await vi.advanceTimersByTimeAsync(3_000);
    await loaded;
    expect(load).toHaveBeenCalledTimes(4);
    expect(useStale().value).toBe(true);
  });
});
