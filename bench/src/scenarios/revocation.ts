import type { Settings } from '../command-line.js';
import { statusOf } from '../load/check.js';
import { load } from '../load/wrk.js';
import { print } from '../print.js';
import { writeSection } from '../report/document.js';
import { describeMachine } from '../report/machine.js';
import { withOurs } from './our-application.js';

const CONNECTIONS = 64;

/** Whether the very next request with a revoked session is refused, at any time. */
export async function revocation({ isSmoke }: Settings): Promise<void> {
  const revoked = isSmoke ? 50 : 1_000;
  const others = 1_000;
  const refused = await withOurs(
    { live: revoked + others },
    async ({ origin, sessions, headers, tokens }) => {
      const over = new AbortController();
      const underLoad = (async () => {
        while (!over.signal.aborted)
          await load(origin, headers.slice(revoked), { connections: CONNECTIONS, seconds: 1 });
      })();
      let count = 0;
      for (const [at, header] of headers.slice(0, revoked).entries()) {
        if ((await statusOf(origin, header)) !== 200) throw new Error('A live session was refused.');
        const { session } = await sessions.validate(tokens[at] ?? '');
        await sessions.revoke(session?.id ?? '');
        if ((await statusOf(origin, header)) === 401) count++;
      }
      over.abort();
      await underLoad;
      return count;
    },
  );
  const times = revoked.toLocaleString('en');
  const report = `${await describeMachine()}\n\nThe next request was refused ${refused.toLocaleString('en')} times out of ${times}.`;
  print(report);
  if (refused < revoked) process.exitCode = 1;
  if (!isSmoke) await writeSection('revocation', report);
}
