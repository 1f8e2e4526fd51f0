/**
 * Pictures that a page has fetched, under addresses of its own: `<img>` shows no token. So many bytes
 * are kept, those that were shown last.
 */

const MOST = 64 * 1024 * 1024;

interface Loaded {
  url: string;
  size: number;
}

const loaded = new Map<string, Promise<Loaded>>();
const sizes = new Map<string, Loaded>();

/** Return an address under which the page can show a picture. Rejects as `load` does, and is asked anew then. */
export async function shownAt(path: string, load: (path: string) => Promise<Blob>, most = MOST): Promise<string> {
  const known = loaded.get(path) ?? fetched(path, load);
  loaded.delete(path);
  loaded.set(path, known);
  const { url } = await known;
  forget(most);
  return url;
}

async function fetched(path: string, load: (path: string) => Promise<Blob>): Promise<Loaded> {
  try {
    const blob = await load(path);
    const one = { url: URL.createObjectURL(blob), size: blob.size };
    sizes.set(path, one);
    return one;
  } catch (error) {
    loaded.delete(path);
    throw error;
  }
}

/** What an `<img>` shows stays on the screen when its address goes. */
function forget(most: number): void {
  let total = [...sizes.values()].reduce((sum, one) => sum + one.size, 0);
  for (const path of [...loaded.keys()].slice(0, -1)) {
    const one = sizes.get(path);
    if (total <= most) return;
    if (one === undefined) continue;
    total -= one.size;
    loaded.delete(path);
    sizes.delete(path);
    URL.revokeObjectURL(one.url);
  }
}
