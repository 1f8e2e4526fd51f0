/** Members of staff as settings show and change them. */

export const ROLES = ["agent", "senior", "aftersales", "complaint", "clerk", "supervisor", "admin"] as const;
export type StaffRole = (typeof ROLES)[number];

export interface Member {
  id: string;
  login: string;
  name: string;
  role: StaffRole;
  active: boolean;
  capacity: number;
  skill_groups: readonly string[];
  state: string;
  version: number;
}

export interface Group {
  id: string;
  code: string;
  name: string;
}

/** What stands in the fields. A capacity is text until it is kept; an empty password changes none. */
export interface MemberValues {
  login: string;
  name: string;
  role: StaffRole;
  capacity: string;
  skill_groups: readonly string[];
  password: string;
}

export const NOBODY: MemberValues = { login: "", name: "", role: "agent", capacity: "8", skill_groups: [], password: "" };
/** The shortest password, in characters; services refuse a shorter one too. */
const SHORTEST = 8;
const MOST_AT_ONCE = 200;

export function valuesOf(member: Member): MemberValues {
  const { login, name, role, capacity, skill_groups } = member;
  return { login, name, role, capacity: String(capacity), skill_groups, password: "" };
}

/** Return the fields that cannot be right, before a service is asked. */
export function wrongIn(values: MemberValues, isNew: boolean): (keyof MemberValues)[] {
  const capacity = Number(values.capacity);
  const isTooMany = !Number.isInteger(capacity) || values.capacity.trim() === "" || capacity < 0 || capacity > MOST_AT_ONCE;
  const isTooShort = values.password === "" ? isNew : values.password.length < SHORTEST;
  return [
    ...(isNew && values.login.trim().length < 3 ? (["login"] as const) : []),
    ...(values.name.trim() === "" ? (["name"] as const) : []),
    ...(isTooMany ? (["capacity"] as const) : []),
    ...(isTooShort ? (["password"] as const) : []),
  ];
}

/** Return what a service is told of a new member. */
export function hired({ login, name, role, capacity, skill_groups, password }: MemberValues): object {
  return { login: login.trim(), password, name: name.trim(), role, capacity: Number(capacity), skill_groups };
}

/** Return what differs: what is the same ends nobody's sessions. */
export function changed(values: MemberValues, before: MemberValues): object {
  return {
    ...(values.name === before.name ? {} : { name: values.name.trim() }),
    ...(values.role === before.role ? {} : { role: values.role }),
    ...(values.capacity === before.capacity ? {} : { capacity: Number(values.capacity) }),
    ...(JSON.stringify(values.skill_groups) === JSON.stringify(before.skill_groups) ? {} : { skill_groups: values.skill_groups }),
    ...(values.password === "" ? {} : { password: values.password }),
  };
}

/** Return those whom a few letters mean, by name or login; who left last. */
export function found(staff: readonly Member[], wanted: string): Member[] {
  const query = wanted.trim().toLowerCase();
  const meant = staff.filter((one) => one.name.toLowerCase().includes(query) || one.login.toLowerCase().includes(query));
  return [...meant.filter((one) => one.active), ...meant.filter((one) => !one.active)];
}
