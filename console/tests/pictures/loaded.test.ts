import { beforeEach, describe, expect, it, vi } from "vitest";

import { shownAt } from "@/pictures/loaded.ts";

let number = 0;
let gone: string[];

beforeEach(() => {
  gone = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation(() => `blob:${(number += 1)}`);
  vi.spyOn(URL, "revokeObjectURL").mockImplementation((url) => void gone.push(url));
});

const bytes = (count: number) => () => Promise.resolve(new Blob(["x".repeat(count)]));

describe("pictures of a page", () => {
  it("are fetched once, however often they are shown", async () => {
    const load = vi.fn(bytes(10));
    const urls = await Promise.all([shownAt("/one", load), shownAt("/one", load)]);
    expect(await shownAt("/one", load)).toBe(urls[0]);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it("are asked for anew where that failed", async () => {
    const load = vi.fn(bytes(10)).mockRejectedValueOnce({ code: "unavailable" });
    await expect(shownAt("/two", load)).rejects.toEqual({ code: "unavailable" });
    expect(await shownAt("/two", load)).toMatch(/^blob:/);
  });

  it("go in the order in which they were shown last, once they are too many bytes", async () => {
    const [first, second] = [await shownAt("/a", bytes(40), 100), await shownAt("/b", bytes(40), 100)];
    await shownAt("/a", bytes(40), 100);
    await shownAt("/c", bytes(40), 100);
    expect(gone).toContain(second);
    expect(gone).not.toContain(first);
    expect(await shownAt("/b", bytes(40), 100)).not.toBe(second);
  });
});
