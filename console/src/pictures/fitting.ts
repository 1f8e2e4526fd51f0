/** What becomes of a file before it is sent as a picture: made smaller where it is large. */

/** What the platform opens. */
export const KINDS: readonly string[] = ["image/jpeg", "image/png", "image/webp", "image/gif"];
const BYTES = 5 * 1024 * 1024;
const SIDE = 2_048;

/** Why a file is not sent at all: by the codes of the platform, or `kind`. */
export class Unfit extends Error {
  constructor(readonly code: "kind" | "body_too_large") {
    super(code);
  }
}

/** Return what to send of a file. Rejects with `Unfit`; what the bytes are, the platform finds out. */
export async function fitted(file: File): Promise<Blob> {
  if (!KINDS.includes(file.type)) throw new Unfit("kind");
  const fits = file.type === "image/gif" ? file : await smaller(file);
  if (fits.size > BYTES) throw new Unfit("body_too_large");
  return fits;
}

/** Make a picture smaller. One that is small enough, or that the browser cannot read, stays as it is. */
async function smaller(file: File): Promise<Blob> {
  const drawn = await createImageBitmap(file).catch(() => null);
  if (drawn === null) return file;
  const scale = Math.min(1, SIDE / Math.max(drawn.width, drawn.height));
  if (scale === 1 && file.size <= BYTES) return file;
  const canvas = new OffscreenCanvas(Math.max(1, Math.round(drawn.width * scale)), Math.max(1, Math.round(drawn.height * scale)));
  canvas.getContext("2d")?.drawImage(drawn, 0, 0, canvas.width, canvas.height);
  drawn.close();
  // What may be see-through stays so, unless that is too large.
  const first = await canvas.convertToBlob({ type: file.type === "image/jpeg" ? "image/jpeg" : "image/png", quality: 0.9 });
  return first.size > BYTES ? canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 }) : first;
}
