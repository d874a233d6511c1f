// One code unit at a time: a character beyond the BMP becomes two escapes, as in JSON itself.
const NOT_ASCII = /[\u0080-\uffff]/g;

/**
 * JSON text whose characters are ASCII, everything else escaped: a column of any character set holds it, over a
 * connection of any, and it has as many bytes as characters.
 */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    NOT_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
