/**
 * Plays a banking app against the sample: `npm run mobile-client`. It starts the sample by itself; to use one that is
 * running, say where. It needs short timeouts:
 *
 *   TRANSFER_WITHIN=3s IDLE_TIMEOUT=6s npm start
 *   npm run mobile-client -- http://localhost:3000
 */
import { attacks } from './attacks.js';
import { openBank } from './bank.js';
import { journey } from './journey.js';

const [running] = process.argv.slice(2);
const bank = running ? { origin: running, close: async () => {} } : await openBank();
try {
  await journey(bank.origin);
  await attacks(bank.origin);
  console.log('\nAll is well: the session lived and ended as it should, and no attack succeeded.');
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await bank.close();
}
