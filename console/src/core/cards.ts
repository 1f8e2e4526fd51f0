/** Cards of the kinds that everybody knows, as they are on the wire. Any other card is its `text`. Pure. */

export type Kind = "order" | "rating";

export interface Action {
  id: string;
  label: string;
  route: string;
}

export interface Card {
  card: Kind;
  v: 1;
  /** The id of what it is about. */
  ref: string;
  text: string;
  valid_until?: string | null;
  actions?: readonly Action[];
  /** The message that this answers, and what was pressed on it. */
  answers?: string | null;
  action?: string | null;
}

/** What may be pressed on each kind, and the command that it is; what another one names is not shown. */
const ROUTES = new Map<unknown, Map<string, (ref: string) => string>>([
  ["order", new Map([["confirm_address", (ref) => `/v1/orders/${ref}/address-confirmation`]])],
  ["rating", new Map([["rate", (ref) => `/v1/conversations/${ref}/rating`]])],
]);
const REF = /^[0-9A-Za-z_-]{1,64}$/;

/** Return the card that a message's body is, with what of it may be pressed; null for every other body. */
export function cardIn(body: unknown): Card | null {
  if (typeof body !== "object" || body === null) return null;
  const said = body as Partial<Card>;
  const routes = ROUTES.get(said.card);
  if (routes === undefined || said.v !== 1 || typeof said.text !== "string" || !REF.test(String(said.ref))) return null;
  const actions = (Array.isArray(said.actions) ? said.actions : []).filter((one: Action) => routes.get(one.id)?.(String(said.ref)) === one.route);
  return { ...(said as Card), actions };
}

/** Return the card that says what was pressed on the card of a message. */
export function answerTo({ card, ref }: Card, message: string, { id, label }: Action): Card {
  return { card, v: 1, ref, text: label, answers: message, action: id };
}

/** What is pressed once is one command and one message, however often it comes. */
export const keyOf = (message: string, action: string) => `${message}:${action}`;
export const idOf = (message: string, action: string) => `${action.replace(/_/g, "-")}-${message}`.slice(0, 64);

/** Return the card by which the buyer may say that his order's address is right. */
export function orderCard(order: { id: string; text: string; confirm: string | null; until: number }): Card {
  const action = { id: "confirm_address", label: order.confirm ?? "", route: ROUTES.get("order")?.get("confirm_address")?.(order.id) ?? "" };
  const offer = order.confirm === null ? {} : { actions: [action], valid_until: new Date(order.until).toISOString() };
  return { card: "order", v: 1, ref: order.id, text: order.text, ...offer };
}
