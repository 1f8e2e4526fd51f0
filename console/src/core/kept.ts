/** What comes from a worker is a copy each time: keep the objects of what says the same. Pure. */

type Plain = Record<string, unknown>;

/** Return `now` with every part of `before` in it that is equal; all of `before` where nothing differs. */
export function kept<T>(before: T, now: T): T {
  if (Object.is(before, now)) return before;
  if (Array.isArray(before) && Array.isArray(now)) return list(before, now) as T;
  if (isPlain(before) && isPlain(now)) return record(before, now) as T;
  return now;
}

function list(before: readonly unknown[], now: unknown[]): readonly unknown[] {
  let same = before.length === now.length;
  for (let at = 0; at < now.length; at += 1) {
    now[at] = kept(before[at], now[at]);
    same &&= now[at] === before[at];
  }
  return same ? before : now;
}

function record(before: Plain, now: Plain): Plain {
  const names = Object.keys(now);
  let same = names.length === Object.keys(before).length;
  for (const name of names) {
    now[name] = kept(before[name], now[name]);
    same &&= now[name] === before[name] && name in before;
  }
  return same ? before : now;
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
