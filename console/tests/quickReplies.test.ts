import { describe, expect, it } from "vitest";

import { filled, firstBlank, matching, type Phrase } from "@/phrases.ts";
import { initials } from "@/pinyin.ts";

const phrase = (title: string, words = ""): Phrase => ({ id: title, title, words, uses: 0 });
const LISTED = [phrase("请稍等", "我马上核实"), phrase("发货时间", "今天发货"), phrase("发票", "可以开"), phrase("查物流", "已经发货了"), phrase("VIP 价", "会员价")];
const found = (wanted: string) => matching(LISTED, wanted).map((one) => one.title);

describe("initials", () => {
  it.each([
    ["发货时间", "fhsj"],
    ["请稍等", "qsd"],
    ["欢迎光临", "hygl"],
    ["七天无理由", "qtwly"],
    ["差价", "cj"],
    ["VIP 价", "vip j"],
    ["阿姨", "ay"],
    ["做主", "zz"],
    ["", ""],
  ])("of %s are %s", (text, letters) => {
    expect(initials(text)).toBe(letters);
  });
});

describe("which quick replies a few letters mean", () => {
  it.each([
    ["", ["请稍等", "发货时间", "发票", "查物流", "VIP 价"]],
    ["发", ["发货时间", "发票", "查物流"]],
    ["fp", ["发票"]],
    ["FH", ["发货时间"]],
    ["sj", ["发货时间"]],
    ["时间", ["发货时间"]],
    ["vip", ["VIP 价"]],
    ["核实", ["请稍等"]],
    ["没有", []],
  ])("%s", (wanted, titles) => {
    expect(found(wanted)).toEqual(titles);
  });
});

describe("what stands in braces", () => {
  const words = "{买家}您好，订单 {订单号} 在 {承诺时间} 前发出，{买家}";

  it("is filled in where it is known, each time", () => {
    expect(filled(words, { 买家: "王小明", 订单号: "T1" })).toBe("王小明您好，订单 T1 在 {承诺时间} 前发出，王小明");
    expect(filled(words, { 买家: "" })).toBe(words);
    expect(filled("{别的} {买家}", { 买家: "$&" })).toBe("{别的} $&");
  });

  it("stays where the name is masked", () => {
    expect(filled("{买家}您好", { 买家: "王*明" })).toBe("{买家}您好");
  });

  it("is found where it is left", () => {
    expect(firstBlank("订单 {订单号}")).toEqual([3, 8]);
    expect(firstBlank("{别的} {}")).toBeNull();
  });
});
