/** Why nobody was let in, as the sign-in says it. */
export type Reason = "refused" | "tooMany" | "unreachable" | "other";

const BY_CODE: Record<string, Reason> = {
  wrong_login: "refused",
  invalid: "refused",
  too_many: "tooMany",
  unavailable: "unreachable",
  unreachable: "unreachable",
};

/** Choose by a problem's code; a wrong name and a wrong password are one reason. */
export function reasonOf(refused: unknown): Reason {
  const code = typeof refused === "object" && refused !== null && "code" in refused ? String(refused.code) : "";
  return BY_CODE[code] ?? "other";
}
