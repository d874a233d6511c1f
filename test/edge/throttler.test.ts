import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Type } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { fileNameOf, pageAt } from '../docs/pages.js';
import { edgeApps } from './support/edge-apps.js';

interface Recipe {
  readonly SignInLimitModule: Type;
  readonly LimitedSignInController: Type;
  readonly Accounts: Type;
}

const FILES: ReadonlySet<string> = new Set(['sign-in-limit.ts', 'limited-sign-in.ts']);
const start = edgeApps();

describe('the recipe for a limit of attempts', () => {
  let folder: string;
  let recipe: Recipe;
  let looked: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'throttler-'));
    const blocks = pageAt('docs/recipes.md').blocks.filter((block) => FILES.has(fileNameOf(block) ?? ''));
    for (const block of blocks)
      await writeFile(join(folder, inJavaScript(fileNameOf(block)!)), compile(block.code));
    recipe = (await import(join(folder, 'limited-sign-in.mjs'))) as Recipe;
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function signInFrom(): Promise<
    (username: unknown, password: string, path?: string) => Promise<Response>
  > {
    looked = [];
    const verify = (username: string, password: string) => {
      looked.push(username);
      return Promise.resolve(password === 'right' ? { userId: username } : null);
    };
    const { SignInLimitModule, LimitedSignInController, Accounts } = recipe;
    const { url } = await start({
      imports: [SignInLimitModule],
      controllers: [LimitedSignInController],
      providers: [{ provide: Accounts, useValue: { verify } }],
    });
    return (username, password, path = 'sign-in') =>
      fetch(`${url}/auth/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username, password }),
      });
  }

  it('refuses the sixth attempt for a name, however it is spelled and whichever route it takes', async () => {
    const signIn = await signInFrom();
    for (const path of ['sign-in', 'browser/sign-in', 'sign-in', 'browser/sign-in', 'sign-in'])
      expect((await signIn('ana', 'wrong', path)).status).toBe(401);
    const refused = await signIn(' ANA ', 'right');
    expect(refused.status).toBe(429);
    expect(refused.headers.has('Retry-After-name')).toBe(true);
    expect(looked).toHaveLength(5);
    expect((await signIn('ben', 'right')).status).toBe(201);
  });

  it('refuses the twenty-first attempt of an address, whatever the names', async () => {
    const signIn = await signInFrom();
    for (let count = 0; count < 20; count++)
      expect((await signIn(`user-${count}`, 'wrong')).status).toBe(401);
    expect((await signIn('another', 'right')).status).toBe(429);
    expect(looked).toHaveLength(20);
  });

  it('counts a name that is no text as well', async () => {
    const signIn = await signInFrom();
    const statuses = [];
    for (const name of [1, null, {}, [], true, 2]) statuses.push((await signIn(name, 'wrong')).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });
});

function inJavaScript(name: string): string {
  return name.replace(/\.ts$/, '.mjs');
}

function compile(code: string): string {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ES2022,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  return ts
    .transpileModule(code, { compilerOptions })
    .outputText.replaceAll(/(from '\.\/.*)\.js'/g, "$1.mjs'");
}
