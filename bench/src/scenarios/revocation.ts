import type { Settings } from '../command-line.js';
import { statusOf } from '../load/check.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { figure } from '../report/table.js';
import { type OurApplication, withOurs } from './our-application.js';
import { underLoad } from './under-load.js';

/** Whether the very next request with a revoked session is refused, at any time. */
export async function revocation({ isSmoke }: Settings): Promise<void> {
  const revoked = isSmoke ? 50 : 1_000;
  const others = 1_000;
  const [refused, perSecond] = await withOurs({ live: revoked + others }, (ours) =>
    underLoad(ours.origin, ours.headers.slice(revoked), () => revokeEach(ours, revoked)),
  );
  const [times, all] = [refused.toLocaleString('en'), revoked.toLocaleString('en')];
  const report = [
    await describeMachine(),
    `The next request was refused ${times} times out of ${all}, under a load of ${figure(perSecond)} requests/s.`,
  ].join('\n\n');
  print(report);
  if (refused < revoked) process.exitCode = 1;
  if (!isSmoke) await writeSection('revocation', report);
}

/** @returns of how many the next request was refused */
async function revokeEach(
  { origin, sessions, headers, tokens }: OurApplication,
  count: number,
): Promise<number> {
  let refused = 0;
  for (const [at, header] of headers.slice(0, count).entries()) {
    if ((await statusOf(origin, header)) !== 200) throw new Error('A live session was refused.');
    const { session } = await sessions.validate(tokens[at] ?? '');
    await sessions.revoke(session?.id ?? '');
    if ((await statusOf(origin, header)) === 401) refused++;
  }
  return refused;
}
