/**
 * What a colour says. `notice`, `warn` and `breach` mean that somebody waits or that something was
 * stopped, `ok` that somebody is there or something is done; `note` is for staff alone.
 */
export type Tone = "plain" | "brand" | "ok" | "notice" | "warn" | "breach" | "note" | "info";
