/** The sections of settings, and who has them; roles hide what they may not use, the server decides. */

const LEADERS = ["supervisor", "admin"];
const CHATTING = ["agent", "senior", "aftersales", "complaint", "supervisor"];
const STAFF = [...CHATTING, "clerk", "admin"];

export type SectionName = "staff" | "groups" | "phrases" | "wording" | "profiles" | "channels" | "shop" | "account";

export interface Section {
  name: SectionName;
  roles: readonly string[];
}

const SECTIONS: readonly Section[] = [
  { name: "staff", roles: LEADERS },
  { name: "groups", roles: LEADERS },
  { name: "phrases", roles: [...CHATTING, "admin"] },
  { name: "wording", roles: LEADERS },
  { name: "profiles", roles: LEADERS },
  { name: "channels", roles: LEADERS },
  { name: "shop", roles: LEADERS },
  { name: "account", roles: STAFF },
];

export function sectionsOf(role: string): readonly Section[] {
  return SECTIONS.filter((one) => one.roles.includes(role));
}
