import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const PATIENCE = 300_000;

/** Runs a command to its end. Its output is all on stdout. */
export async function run(command, args, { cwd, env = {} }) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, timeout: PATIENCE });
  const output = listen(child);
  const [exitCode] = await once(child, 'close');
  return { exitCode, output: output() };
}

/** As `run`, but a failure is an error that shows the output. */
export async function succeed(command, args, options) {
  const { exitCode, output } = await run(command, args, options);
  if (exitCode !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${exitCode}:\n${output}`);
  return output;
}

/** The packed library, as it would be published. @returns the path of the tarball */
export async function pack(root, folder) {
  await succeed('npm', ['pack', '--pack-destination', folder], { cwd: root });
  return join(
    folder,
    readdirSync(folder).find((file) => file.endsWith('.tgz')),
  );
}

/** Starts an application, and resolves as soon as it has said that it is ready, and what its `url` is. */
export async function start(args, { cwd, env, ready = /Listening on (\S+)/ }) {
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...env } });
  const ended = once(child, 'close');
  const output = listen(child);
  const deadline = Date.now() + 30_000;
  let url;
  while ((url = ready.exec(output())?.[1]) === undefined) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`It did not start:\n${output()}`);
    }
    await wait(50);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    const [, signal] = await ended;
    clearTimeout(killer);
    if (signal === 'SIGKILL') throw new Error(`It did not end at SIGTERM:\n${output()}`);
  };
  return { url, output, stop };
}

function listen(child) {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  return () => output;
}
