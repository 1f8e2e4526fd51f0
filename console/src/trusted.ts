/**
 * The one script address that this page's own code may name: the worker's.
 *
 * The page is served with `require-trusted-types-for 'script'`, so a worker takes no plain string.
 * Whoever finds a way to put another address here is refused by the policy, and the browser says so.
 */

/** What `new SharedWorker` and `new Worker` take; browsers without trusted types take the string. */
type ScriptUrl = string & URL;

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): ScriptUrl };
}

const OWN_WORKER = /^\/(assets\/worker-[\w-]+\.js|src\/core\/worker\.ts\?[\w&=]+)$/;

function admitted(url: string): string {
  const { origin, pathname, search } = new URL(url, location.href);
  if (origin !== location.origin || !OWN_WORKER.test(pathname + search)) {
    throw new TypeError("Only this console's own worker is started.");
  }
  return url;
}

const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
const policy = policies?.createPolicy("peakdesk", { createScriptURL: admitted });

/** Return the worker's address as `SharedWorker` accepts it. Throws TypeError for any other. */
export function workerUrl(url: string): ScriptUrl {
  return policy === undefined ? (admitted(url) as ScriptUrl) : policy.createScriptURL(url);
}
