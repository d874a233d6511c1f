import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './processes.mjs';

/**
 * The application and, with it, every declaration of the package. A role that nobody has declared must not compile
 * where roles are declared, and must where they are not.
 */
export async function compile(folder, here) {
  const source = join(folder, 'src');
  await cp(join(here, 'shared'), source, { recursive: true });
  await cp(join(here, 'declarations'), join(source, 'declarations'), { recursive: true });
  const { exitCode, output } = await run('npm', ['run', 'build', '--', '--pretty', 'false'], { cwd: folder });
  const faults = output.split('\n').filter((line) => line.includes('error TS'));
  if (existsSync(join(source, 'session-types.ts'))) {
    assert.equal(faults.length, 1, output);
    assert.match(faults[0], /^src\/declarations\/unknown-role\.ts\(4,14\): error TS2345: .*"admn"/);
  } else {
    assert.equal(exitCode, 0, output);
  }
}
