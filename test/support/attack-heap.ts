import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Megabytes that are in use, once what is not has been collected. */
export async function heapInUse(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await wait(20);
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
}
