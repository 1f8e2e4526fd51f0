/** Initials of Chinese words as they are spoken, by the order that browsers sort them in: no dictionary is loaded. */

const ORDER = new Intl.Collator("zh-CN-u-co-pinyin");

/** The first character of each initial in that order; no syllable begins with i, u or v. */
const FIRST = Array.from("阿八嚓哒妸发旮哈讥咔垃痳拏噢妑七呥扨它穵夕丫帀");
const LETTERS = Array.from("abcdefghjklmnopqrstwxyz");
const CHINESE = /\p{Script=Han}/u;
const known = new Map<string, string>();

/** Return the initials of a text in small letters; what is no Chinese character stays what it is. */
export function initials(text: string): string {
  return Array.from(text.toLowerCase(), initial).join("");
}

function initial(character: string): string {
  if (!CHINESE.test(character)) return character;
  const found = known.get(character) ?? looked(character);
  known.set(character, found);
  return found;
}

function looked(character: string): string {
  const at = FIRST.findLastIndex((first) => ORDER.compare(first, character) <= 0);
  return LETTERS[at] ?? character;
}
