/** The messages of one feature, or of all: keys to words or to more keys. */
export type Catalogue = { [key: string]: string | Catalogue };

/** Make one catalogue of a file for each feature; a file's name is the first part of its keys. */
export function merged(files: Record<string, Catalogue>): Catalogue {
  const named = Object.entries(files).map(([path, words]) => [path.replace(/^.*\/|\.json$/g, ""), words]);
  return Object.fromEntries(named) as Catalogue;
}
