/** What the services say of a buyer's trade, as it is on the wire. Money is fen. Pure. */

export interface Address {
  name: string;
  phone: string;
  text: string;
  masked: boolean;
}

export interface Order {
  id: string;
  external_id: string;
  state: "placed" | "paid" | "released" | "printed" | "closed";
  version: number;
  address: Address;
  address_result: "verified" | "changed" | "no_answer" | null;
  ask_again_at: string | null;
  interlocks: readonly string[];
  lines: readonly { sku: string; title: string; quantity: number; price_fen: number }[];
  total_fen: number;
  paid_fen: number;
  refunded_fen: number;
  placed_at: string;
  paid_at: string | null;
}

export interface Remark {
  id: string;
  author_name: string;
  text: string;
  at: string;
}

export interface Case {
  id: string;
  order_id: string;
  state: "requested" | "reviewed" | "refunded" | "rejected" | "closed";
  version: number;
  amount_fen: number;
  buyer_reason: string;
  agreed_reason: string | null;
  review_note: string | null;
  due_at: string | null;
  opened_at: string;
}

export interface Work {
  id: string;
  agent_id: string | null;
  also: string | null;
  due_at: string;
}

export interface Former {
  id: string;
  state: string;
  agent_id: string | null;
  opened_at: string;
  closed_at: string | null;
  score: number | null;
  head?: { preview: string; by: string } | null;
}

export interface Listed<Row> {
  items: readonly Row[];
  next_cursor: string | null;
}

/** Who decides on refunds. */
const DECIDING = ["aftersales", "supervisor"];
const SUPERVISOR = "supervisor";

/** Whether somebody may say how asking for the address ended: who holds the work, or a supervisor. */
export function mayCheck(order: Order, work: readonly Work[], me: { id: string; role: string }): boolean {
  if (order.state !== "paid" || !order.interlocks.includes("address_unverified")) return false;
  return me.role === SUPERVISOR || work.some((one) => one.agent_id === me.id || one.also === me.id);
}

export function mayDecide(role: string): boolean {
  return DECIDING.includes(role);
}

export function mayReveal(role: string): boolean {
  return role === SUPERVISOR;
}

/** What can still be asked back of an order, as far as the order knows it. */
export function refundable(order: Order): number {
  return order.paid_fen - order.refunded_fen;
}

/** Read an amount that a person typed, in yuan; null where it is none. */
export function fenOf(typed: string): number | null {
  const found = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(typed.trim());
  if (found === null) return null;
  const fen = Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0"));
  return fen > 0 ? fen : null;
}
