/** Prints what happens, for people, and stops at the first thing that is not as it should be. */

export function chapter(title: string): void {
  console.log(`\n${title}\n${'='.repeat(title.length)}`);
}

export function step(text: string): void {
  console.log(`\n${text}`);
}

export function detail(text: string): void {
  console.log(`    ${text}`);
}

/** @throws Error where the two differ */
export function expect(what: string, actual: unknown, expected: unknown): void {
  if (actual === expected) return;
  throw new Error(`WRONG: ${what} should be ${String(expected)}, and is ${String(actual)}.`);
}
