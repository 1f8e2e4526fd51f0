import { connect } from "@/core/page.ts";

const core = connect(0);
const [log, box] = [document.createElement("ul"), document.createElement("input")];
document.body.append(log, box);
let shown = "";

core.subscribe((changed) => {
  const { conversations, outbox, drafts } = core.state;
  if (changed.session === "out") void core.signIn(prompt("Login") ?? "", prompt("Password") ?? "").catch(() => location.reload());
  const next = Object.values(conversations).sort((a, b) => (a.waitingSince ?? Date.now()) - (b.waitingSince ?? Date.now()))[0];
  const isGone = conversations[shown] === undefined;
  if (isGone) shown = next?.id ?? "";
  if (isGone || changed.refusals?.[shown]) box.value = drafts[shown] ?? "";
  const words = [...(conversations[shown]?.items ?? []), ...outbox.filter((one) => one.conversation === shown)];
  log.replaceChildren(...words.map(({ text }) => Object.assign(document.createElement("li"), { textContent: text })));
});
box.addEventListener("input", () => void core.draft(shown, box.value));
box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || shown === "" || box.value === "") return;
  void core.send(shown, box.value);
  box.value = "";
});
