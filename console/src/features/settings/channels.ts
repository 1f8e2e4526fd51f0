/** Channels over which leaders are told outside the console, as the service shows and takes them. */

export const KINDS = ["dingtalk", "feishu", "wecom", "webhook"] as const;
export const LEVELS = ["info", "warn", "critical"] as const;

export type Kind = (typeof KINDS)[number];
export type Level = (typeof LEVELS)[number];

export interface Channel {
  id: string;
  name: string;
  kind: Kind;
  address: string;
  has_secret: boolean;
  levels: Level[];
  language: "zh" | "en";
  mentions: { people: string[]; everybody: boolean };
  names: boolean;
  state: "on" | "off" | "broken";
  why: string | null;
  rests_until: string | null;
  version: number;
  /** Of a webhook that was just made, this once. */
  secret: string | null;
}

export interface Delivery {
  id: string;
  step: "opened" | "raised" | "repeated" | "escalated" | "resolved" | "test" | "digest";
  level: Level;
  title: Partial<Record<string, string>>;
  count: number;
  state: "pending" | "sent" | "failed" | "merged";
  attempts: number;
  code: string | null;
  at: string;
  next_at: string | null;
}

/** What stands in the form: an address and a secret that are left empty stay as they are. */
export interface ChannelValues {
  name: string;
  kind: Kind;
  url: string;
  secret: string;
  levels: readonly Level[];
  language: "zh" | "en";
  people: string;
  options: readonly ("everybody" | "names")[];
}

export const NO_CHANNEL: ChannelValues = { name: "", kind: "dingtalk", url: "", secret: "", levels: ["warn", "critical"], language: "zh", people: "", options: [] };

export function valuesOf(channel: Channel): ChannelValues {
  const { name, kind, levels, language, mentions, names } = channel;
  const options = [...(mentions.everybody ? (["everybody"] as const) : []), ...(names ? (["names"] as const) : [])];
  return { name, kind, url: "", secret: "", levels: [...levels], language, people: mentions.people.join(" "), options };
}

/** Return what is sent for a form; of an address or a secret nothing, where it is left empty. */
export function bodyOf(values: ChannelValues): Record<string, unknown> {
  const { name, url, secret, levels, language, people, options } = values;
  return {
    name: name.trim(),
    levels,
    language,
    names: options.includes("names"),
    mentions: { people: people.split(/[\s,，]+/).filter((one) => one !== ""), everybody: options.includes("everybody") },
    ...(url.trim() === "" ? {} : { url: url.trim() }),
    ...(secret.trim() === "" ? {} : { secret: secret.trim() }),
  };
}

/** Whether a kind is given a secret beside its address: of a webhook the platform makes it. */
export function isSigned(kind: Kind): boolean {
  return kind === "dingtalk" || kind === "feishu";
}
