import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe } from '@jest/globals';
import type { CookieBrowser, Page } from './cookie-browser.js';

/** What sign-in with a provider needs has an install of its own, so that the root stays lean. */
export const PROVIDERS = resolve('test/providers');

/** Runs the suite where that install is; else it is skipped, loudly, and in CI it fails. */
export function describeWithProviders(name: string, suite: () => void): void {
  if (existsSync(`${PROVIDERS}/node_modules/oidc-provider`)) return describe(name, suite);
  const notice = 'There is no provider to sign in with: npm ci --prefix test/providers';
  if (process.env['CI']) throw new Error(notice);
  process.stderr.write(`\n*** SKIPPED: ${notice} ***\n\n`);
  describe.skip(name, suite);
}

export interface ProviderProcess {
  /** Its address too. */
  readonly issuer: string;
  stop(): Promise<void>;
}

/** A provider in a process of its own. */
export async function startProvider(redirectUris: readonly string[]): Promise<ProviderProcess> {
  const child = spawn(process.execPath, [`${PROVIDERS}/provider.mjs`, ...redirectUris], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const stop = () => (child.kill(), exited);
  for await (const line of createInterface(child.stdout)) {
    const issuer = /^provider: (.+)$/.exec(line)?.[1];
    if (issuer === undefined) continue;
    child.stdout.resume();
    return { issuer, stop };
  }
  throw new Error('The provider has ended before it listened.');
}

/** What the page on sign-in with another provider is told by its environment. */
export function configurePage({ issuer }: ProviderProcess, origin: string, pages: string): void {
  Object.assign(process.env, {
    PUBLIC_ORIGIN: origin,
    PAGES_ORIGIN: pages,
    PROVIDER_ISSUER: issuer,
    PROVIDER_CLIENT_ID: 'shop',
    PROVIDER_CLIENT_SECRET: 'a secret of at least 32 characters',
    PROVIDER_ATTEMPT_SECRET: 'another secret of at least 32 characters',
  });
}

/** Says who they are on the pages of the provider, and yes to all. @returns the answer of the provider, not yet opened */
export async function consent(of: CookieBrowser, begun: Page, login: string): Promise<string> {
  let { location } = begun;
  const { origin: issuer } = new URL(location ?? '');
  while (location !== null && location.startsWith(issuer)) {
    const answer = await of.open(location);
    if (answer.location !== null) {
      location = answer.location;
      continue;
    }
    const prompt = /name="prompt" value="(\w+)"/.exec(answer.text)?.[1] ?? '';
    ({ location } = await of.submit(location, { prompt, login, password: 'any' }));
  }
  if (location === null) throw new Error('The provider leads nowhere.');
  return location;
}
