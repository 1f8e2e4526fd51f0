/** What each first route loads, gzipped, as it is committed in dist/. */

import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

interface Chunk {
  file: string;
  imports?: string[];
  dynamicImports?: string[];
  css?: string[];
}

const KIB = 1024;
const chunks = JSON.parse(readFileSync("dist/chunks.json", "utf8")) as Record<string, Chunk>;
const gzipped = (file: string) => gzipSync(readFileSync(`dist/${file}`)).length;

/** The files of chunks and of everything that they import at once. */
function files(...names: string[]): Set<string> {
  const found = new Set<string>();
  const seen = new Set<string>();
  for (const todo = [...names]; todo.length > 0; ) {
    const name = todo.pop() ?? "";
    const chunk = chunks[name];
    if (chunk === undefined || seen.has(name)) continue;
    seen.add(name);
    for (const file of [chunk.file, ...(chunk.css ?? [])]) found.add(file);
    todo.push(...(chunk.imports ?? []));
  }
  return found;
}

function route(pattern: RegExp): string {
  const name = Object.keys(chunks).find((key) => pattern.test(key));
  if (name === undefined) throw new Error(`No chunk is named like ${pattern}.`);
  return name;
}

const sum = (names: Iterable<string>) => [...names].reduce((total, file) => total + gzipped(file), 0);
const workers = readdirSync("dist/assets").filter((name) => /^worker-.*\.js$/.test(name));

describe("what a first route loads, gzipped", () => {
  it.each([
    ["sign-in", /SignInPage\.vue$/, 120],
    ["desk", /Desk(Page|Place)\.vue$/, 220],
    ["board", /BoardPlace\.vue$/, 200],
  ])("%s", (name, page, limit) => {
    const around = name === "sign-in" ? [] : [route(/Frame\.vue$/)];
    const loaded = [...files("index.html", route(page), ...around), ...workers.map((name) => `assets/${name}`)];
    expect(sum(loaded)).toBeLessThanOrEqual(limit * KIB);
  });

  it("has nothing of the board for whoever serves buyers", () => {
    const loaded = files("index.html", route(/DeskPlace\.vue$/), route(/Frame\.vue$/));
    expect([...files(route(/BoardPlace\.vue$/))].filter((file) => /\/Board/.test(file))).not.toEqual([]);
    expect([...loaded].filter((file) => /\/Board/.test(file))).toEqual([]);
  });

  it("a shop's chat", () => {
    expect(sum(files("widget.html"))).toBeLessThanOrEqual(110 * KIB);
  });

  it("the script on a shop's page", () => {
    expect(gzipped("widget.js")).toBeLessThanOrEqual(3 * KIB);
  });

  it("is at most 60 KiB for every chunk that comes later", () => {
    const first = files("index.html", "widget.html");
    const lazy = Object.values(chunks).flatMap((chunk) => chunk.dynamicImports ?? []);
    const sizes = lazy.map((name) => [name, sum([...files(name)].filter((file) => !first.has(file)))] as const);
    expect(sizes.filter(([, size]) => size > 60 * KIB)).toEqual([]);
  });

  it("holds no inline script or style, which the page's policy would stop", () => {
    for (const name of ["index", "widget", "demo-shop"]) {
      const page = readFileSync(`dist/${name}.html`, "utf8");
      expect(page).not.toMatch(/<script(?![^>]* src=)|<style|style=|javascript:| on\w+=/);
    }
  });

  it("holds no code that makes code of text", () => {
    const scripts = readdirSync("dist/assets").filter((name) => name.endsWith(".js"));
    expect(scripts.filter((name) => /\beval\(|new Function\(/.test(readFileSync(`dist/assets/${name}`, "utf8")))).toEqual([]);
  });
});
