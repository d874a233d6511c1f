import type { Contestant } from '../contestants/catalogue.js';
import type { Header } from '../contestants/contestant.js';
import type { RunningApplication } from './application.js';

/**
 * Whether a contestant does what it is measured for: lets live sessions in, and nobody else. Sessions that it cannot
 * revoke, or not at once, must be let in after a revocation as well: otherwise the table would slander it.
 *
 * @returns live sessions for the load
 * @throws Error when it does not
 */
export async function check(
  { id, revocation }: Contestant,
  application: RunningApplication,
): Promise<readonly Header[]> {
  const expect = async (what: string, header: Header | null, expected: number) => {
    const status = await statusOf(application.origin, header);
    if (status !== expected) throw new Error(`${id} answers ${status} to ${what}, not ${expected}.`);
  };
  const [victim, ...live] = await application.ask('credentials');
  if (victim === undefined || live[0] === undefined) throw new Error(`${id} has no sessions.`);
  await expect('a live session', victim, 200);
  await expect('another live session', live[0], 200);
  const lettingEverybodyIn = revocation === 'open';
  await expect('no session', null, lettingEverybodyIn ? 200 : 401);
  if (lettingEverybodyIn) return live;

  await expect('a forged session', await application.ask('forged'), 401);
  const canRevoke = await application.ask('revoke', victim);
  if (canRevoke !== (revocation !== 'never')) throw new Error(`${id} is not marked by what it can revoke.`);
  await expect('a revoked session', victim, revocation === 'at once' ? 401 : 200);
  return live;
}

export async function statusOf(origin: string, header: Header | null): Promise<number> {
  const answer = await fetch(`${origin}/me`, { headers: header === null ? [] : [[...header]] });
  await answer.arrayBuffer();
  return answer.status;
}
