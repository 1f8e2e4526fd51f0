import { describe, expect, it } from "vitest";

import { ASKED, settled, signedIn, world } from "./platform.ts";

const told = { t: "ev", s: "inbox", time: ASKED.time } as const;

describe("what the inbox tells of oneself", () => {
  it("is one's state, as another device or a leader set it", async () => {
    const [made, line] = await signedIn(86);
    await settled();
    expect(made.state.me?.state).toBe("online");

    world.state = "suspended";
    line.tell({ ...told, id: "e1", type: "staff.state_changed.v1", d: { agent_id: "me", state: "suspended" } });
    await settled();

    expect(made.state.me?.state).toBe("suspended");
  });

  it("is one's work, which is looked at again", async () => {
    const [made, line] = await signedIn(87);
    await settled();

    line.tell({ ...told, id: "e1", type: "work.assigned.v1", d: { work_id: "w", agent_id: "me" } });
    line.tell({ ...told, id: "e2", type: "work.settled.v2", d: { work_id: "w" } });

    expect(made.state.work).toBe(2);
  });
});
