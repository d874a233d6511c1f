import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';

const README = readFileSync('README.md', 'utf8');
const TOKEN = /sid_[\w-]{5}/;

async function play(...parameters: string[]) {
  const script = spawn(process.execPath, ['sample/dist/mobile/main.js', ...parameters]);
  let [output, complaints] = ['', ''];
  script.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  script.stderr.on('data', (chunk) => {
    complaints += String(chunk);
  });
  const [exitCode] = (await once(script, 'close')) as [number | null];
  return { exitCode, output, complaints };
}

/** What the lines of one numbered step say. */
function stepOf(output: string, chapter: string, number: number): string[] {
  const steps = output.slice(output.indexOf(chapter)).split(/^(?=\d\. )/m);
  const lines = steps.find((step) => step.startsWith(`${number}. `))?.split('\n') ?? [];
  return lines.slice(1).flatMap((line) => (line.startsWith(' ') ? [line.trim()] : []));
}

describe('npm run mobile-client', () => {
  it('opens the bank, goes through the five steps and the four attacks, and closes it', async () => {
    const { exitCode, output, complaints } = await play();
    expect({ exitCode, complaints }).toEqual({ exitCode: 0, complaints: '' });
    expect(output).not.toMatch(TOKEN);

    const life = (number: number) => stepOf(output, 'The life of a session', number);
    expect(life(1)).toEqual(['> POST /auth/sign-in', '< 201   { "token": "sid_…", … }']);
    expect(life(2)).toEqual(['> GET /me   Authorization: Bearer sid_…', '< 200']);
    expect(life(3)).toEqual(['> GET /accounts   Authorization: Bearer sid_…', '< 200']);
    expect(life(4).filter((line) => line.startsWith('<'))).toEqual([
      '< 403 role_required',
      '< 401 reauthentication_required',
      '< 200   { "token": "sid_…", … }',
      '< 200',
    ]);
    expect(life(5).slice(-2)).toEqual(['> GET /me', '< 401 session_required']);

    const thief = (number: number) =>
      stepOf(output, 'Four attacks', number).filter((line) => line.startsWith('The thief shows'));
    const copyIs = (answer: string) => `The thief shows the copy: ${answer}`;
    expect(thief(1)).toEqual([copyIs('401 session_invalid')]);
    expect(thief(2)).toEqual([copyIs('401 session_expired')]);
    expect(thief(3)).toEqual([copyIs('401 session_invalid'), copyIs('401 session_invalid')]);
    expect(thief(4)).toHaveLength(4);
    expect(thief(4).filter((line) => !line.endsWith(': 401 session_invalid'))).toEqual([]);
    expect(output).toContain('50 more of that shape: 0 let in');
    expect(output).toContain('All is well');

    const [, shown = ''] = /```console\n\$ npm run mobile-client\n([\s\S]*?)```/.exec(README) ?? [];
    const lines = shown.split('\n').filter(Boolean);
    expect(lines.length).toBeGreaterThan(40);
    for (const line of lines) expect(output).toContain(`${line}\n`);
  }, 120_000);

  it('fails at a bank that lets everybody in', async () => {
    const session = { id: '1', lastSeenAt: '2026-01-01T00:00:00Z', expiresAt: '2026-01-01T00:15:00Z' };
    const server = createServer((_, response) => {
      response.end(JSON.stringify({ token: `sid_${'x'.repeat(70)}`, session }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { exitCode, output, complaints } = await play(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    server.close().closeAllConnections();
    expect(exitCode).toBe(1);
    expect(complaints).toContain('WRONG: ');
    expect(output).not.toContain('All is well');
  });
});
