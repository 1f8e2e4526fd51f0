import type { IconName } from "./icons.ts";

/** A line of a menu. */
export interface MenuItem<Value extends string = string> {
  value: Value;
  label: string;
  /** What it does, in words, below the label. */
  effect?: string;
  icon?: IconName;
  keys?: string;
  disabled?: boolean;
  /** Whether it is on, for what is on or off by itself: a `menuitemcheckbox`. */
  checked?: boolean;
  /** Whether a line stands above it. */
  apart?: boolean;
}
