import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import ts from 'typescript';

const run = promisify(execFile);

describe('the bundle', () => {
  let code: string;

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: ['src/client/index.ts'],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'neutral',
      target: 'es2022',
      write: false,
    });
    code = outputFiles[0]?.text ?? '';
  });

  /** What comes of a client for a telephone on the developer's network, in a bundle for this environment. */
  async function insecureIn(environment: string | null): Promise<string> {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { createSessionClient } from './src/client/index.ts';
          try {
            createSessionClient({ origin: 'http://10.0.2.2:3000', signOutPath: '/', insecureInDevelopment: true });
            console.log('made');
          } catch (error) { console.log(error.name); }`,
        resolveDir: resolve('.'),
      },
      bundle: true,
      minify: true,
      platform: 'neutral',
      target: 'es2022',
      write: false,
      ...(environment !== null && { define: { 'process.env.NODE_ENV': JSON.stringify(environment) } }),
    });
    // As in a browser, where there is no `process`.
    const script = `(function (process) { ${outputFiles[0]?.text ?? ''} })()`;
    return (await run(process.execPath, ['--eval', script], { timeout: 20_000 })).stdout.trim();
  }

  it('takes an insecure origin only where the bundler says that it is for development', async () => {
    expect(await insecureIn('development')).toBe('made');
    expect(await insecureIn('production')).toBe('TypeError');
    expect(await insecureIn(null)).toBe('TypeError');
  });

  it('is under 3.25 kB, gzipped, and needs no other package', () => {
    expect(gzipSync(code).length).toBeLessThan(3_250);
    expect(gzipSync(code).length).toBeGreaterThan(1_000);
    expect(code).not.toMatch(/\bimport\b|\brequire\b/);
  });

  it('knows of no storage, and of no way to log', () => {
    const forbidden =
      /localStorage|sessionStorage|indexedDB|AsyncStorage|document|cookieStore|caches|navigator|console|process/;
    // A bundler puts a text in the place of this.
    expect(code.replace('process.env.NODE_ENV', '""')).not.toMatch(forbidden);
  });

  it('leaves what a listener throws to the platform, and holds no process open', async () => {
    const script = `${code.replace(/export\{(\w+) as (\w+),(\w+) as (\w+)\};?/, 'const $4=$3;')}
      process.on('unhandledRejection', ({ message }) => console.log(message));
      const session = { id: '1', lastSeenAt: '2026-01-01T00:00:00Z', expiresAt: '2026-01-01T00:15:00Z' };
      const fetch = async () => Response.json({ token: 'T1', session });
      const client = createSessionClient({ origin: 'https://api.example.com', signOutPath: '/sign-out', fetch });
      client.on('signed-in', () => { throw new Error('a mistake'); });
      client.on('signed-in', () => console.log('heard'));
      console.log((await client.signIn('/sign-in', {})).id);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      timeout: 20_000,
    });
    expect(stdout.trim().split('\n').toSorted()).toEqual(['1', 'a mistake', 'heard']);
  });
});

/** What an app does, and what it must not be able to do. */
const APP = `
  import { createSessionClient, type SessionInfo } from './client/index.js';
  const client = createSessionClient({
    origin: 'https://api.example.com',
    signOutPath: '/auth/sign-out',
    onStepUp: async ({ maxAge, acrValues }) => {
      const seconds: number | null = maxAge;
      const level: string | null = acrValues;
      await client.signIn('/auth/step-up', { seconds, level });
    },
  });
  const stop: () => void = client.on('ended', ({ reason }) => reason === 'session_expired');
  const session: Promise<SessionInfo> = client.signIn('/auth/sign-in', { username: 'ana' });
  const status: Promise<number> = client.fetch('/me', { method: 'POST', body: '{}' }).then((answer) => answer.status);
  const ended: Promise<boolean> = client.signOut();
  client.forget();
  const protocols: string[] = client.socketProtocols('wss://api.example.com/chat', 'app');
  const auth: (callback: (auth: object) => void) => void = client.socketAuth('https://api.example.com');
  const parameters: () => Record<string, unknown> = client.connectionParams('wss://api.example.com/graphql');
  const code: Promise<string | null> = client.socketEnded({ code: 4401, reason: 'session_invalid' });
  // @ts-expect-error browsers end a connection whose only protocol is not answered
  client.socketProtocols('wss://api.example.com/chat');
  // @ts-expect-error one after the other
  client.socketProtocols('wss://api.example.com/chat', ['app']);
  // @ts-expect-error where to
  client.socketAuth();
  // @ts-expect-error no such event
  client.on('end', () => {});
  // @ts-expect-error no such reason
  client.on('ended', ({ reason }) => reason === 'expired');
  // @ts-expect-error there is no default
  createSessionClient({ origin: 'https://api.example.com' });
  // @ts-expect-error the token is not to be had
  client.token;
`;
/** Where the platform's own types are known, its `fetch` can be passed, and its answers are its own. */
const WITH_FETCH = `${APP}
  createSessionClient({ origin: 'https://api.example.com', signOutPath: '/auth/sign-out', fetch });
  createSessionClient({ origin: 'https://api.example.com', signOutPath: '/auth/sign-out', fetch: client.fetch });
  const answer: Response = await client.fetch(new Request('https://api.example.com/me'), { headers: new Headers() });
  const text: string = await answer.text();
  await client.fetch(new URL('https://api.example.com/me'), { signal: AbortSignal.timeout(1) });
  // @ts-expect-error fetch itself takes no number
  await client.fetch(1);
`;

const BASE: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  types: [],
};
const LIB = (...names: string[]) => names.map((name) => `lib.${name}.d.ts`);

function mistakesIn(file: string, options: ts.CompilerOptions): string[] {
  const typeRoots = [resolve('node_modules/@types')];
  return messagesOf(ts.createProgram([file], { ...BASE, ...options, typeRoots, noEmit: true }));
}

function messagesOf(program: ts.Program): string[] {
  return ts
    .getPreEmitDiagnostics(program)
    .map(
      ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
}

describe('the types', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'client-types-'));
    const { config } = ts.readConfigFile('tsconfig.client.json', (path) => ts.sys.readFile(path));
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
    expect(options).toMatchObject({ lib: ['lib.es2022.d.ts'], types: [] });
    const emit = { noEmit: false, emitDeclarationOnly: true, declarationMap: false, sourceMap: false };
    const places = { rootDir: resolve('src/client'), outDir: join(folder, 'client') };
    const program = ts.createProgram(fileNames, { ...options, ...emit, ...places });
    expect(messagesOf(program)).toEqual([]);
    program.emit();
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  });

  afterAll(() => rm(folder, { recursive: true }));

  it('are compiled without those of the DOM and of Node, and name none of them', async () => {
    const files = await readdir(join(folder, 'client'));
    expect(files).toContain('index.d.ts');
    for (const file of files) {
      expect(await readFile(join(folder, 'client', file), 'utf8')).not.toMatch(/<reference|'node:|: any\b/);
    }
  });

  it.each([
    ['neither', APP, { lib: LIB('es2022') }],
    ['the DOM', WITH_FETCH, { lib: LIB('es2022', 'dom', 'dom.iterable'), skipLibCheck: true }],
    ['Node', WITH_FETCH, { lib: LIB('es2022'), types: ['node'], skipLibCheck: true }],
  ])(
    'fit an app with the types of %s',
    async (name, app, options) => {
      const file = join(folder, `${name.replace(' ', '-')}.ts`);
      await writeFile(file, app);
      expect(mistakesIn(file, options)).toEqual([]);
    },
    60_000,
  );
});
