import type { Block } from './pages.js';

/** One command of a `console` block, and what the page says that it answers. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

const DATE = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TOKEN = /^sid_[\w-]{70}$/;

export function stepsOf({ code }: Block): Step[] {
  return code
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...output] = part.split('\n');
      return { command, output: output.join('\n').trim() };
    });
}

/** How a real answer differs from the one on the page, or `null`: times, ids and tokens may be others. */
export function differenceBetween(shown: string, real: string): string | null {
  const { head: shownHead, body: shownBody } = answerIn(shown);
  const { head, body } = answerIn(real.replaceAll('\r', '').trim());
  const missing = shownHead.find((line) => !head.includes(line));
  if (missing !== undefined) return `not in the head: ${missing}`;
  if (shownBody === '' || body === '') return shownBody === body ? null : `body: ${body}`;
  return differenceOf(parse(shownBody), parse(body), 'body');
}

function answerIn(text: string): { head: string[]; body: string } {
  if (!text.startsWith('HTTP/')) return { head: [], body: text };
  const [head = '', body = ''] = text.split('\n\n');
  return { head: head.split('\n'), body };
}

/** What is left out on the page (`,…`) becomes a property of that name. */
function parse(json: string): unknown {
  return JSON.parse(json.replaceAll(/,…/g, ',"…":0'));
}

function differenceOf(shown: unknown, real: unknown, path: string): string | null {
  if (typeof shown !== 'object' || shown === null || typeof real !== 'object' || real === null) {
    return isLike(shown, real) ? null : `${path}: ${JSON.stringify(real)}`;
  }
  const { '…': omission, ...parts } = shown as Record<string, unknown>;
  const others = Object.keys(real).filter((name) => !(name in parts));
  if (omission === undefined && others.length > 0) return `${path} has ${others.join(', ')} too`;
  for (const [name, part] of Object.entries(parts)) {
    const difference = differenceOf(part, (real as Record<string, unknown>)[name], `${path}.${name}`);
    if (difference) return difference;
  }
  return null;
}

function isLike(shown: unknown, real: unknown): boolean {
  if (typeof shown !== 'string' || typeof real !== 'string') return shown === real;
  if (shown.startsWith('sid_')) return TOKEN.test(real);
  if (shown.startsWith('curl/')) return real.startsWith('curl/');
  return [DATE, UUID].some((form) => form.test(shown) && form.test(real)) || shown === real;
}
