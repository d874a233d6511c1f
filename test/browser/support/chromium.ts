import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { type Browser, chromium } from 'playwright-core';
import { type Platform, PLATFORMS } from '../../support/platforms.js';
import { RunningSample, type SampleSettings } from './running-sample.js';
import { Windows } from './windows.js';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface Suite {
  readonly platform: Platform;
  /** There when the tests run. */
  readonly bank: { readonly sample: RunningSample; readonly windows: Windows };
}

/** Runs the tests in Chromium, against a sample of their own on each platform. */
export function describeInBrowser(
  name: string,
  settings: SampleSettings,
  tests: (suite: Suite) => void,
): void {
  describeWithChromium().each(PLATFORMS)(`${name}, on %s`, (platform) => {
    const bank = {} as { sample: RunningSample; windows: Windows };
    let browser: Browser;

    beforeAll(async () => {
      [browser, bank.sample] = await Promise.all([launch(), RunningSample.start(platform, settings)]);
      bank.windows = new Windows(browser, () => bank.sample.url);
    });

    afterAll(async () => {
      await browser.close();
      await bank.sample.stop();
    });

    tests({ platform, bank });
  });
}

/** `describe`, where there is a Chromium. */
export function describeWithChromium(): typeof describe.skip {
  return existsSync(EXECUTABLE) ? describe : skip();
}

/** With the memory of left pages that people's browsers have, and that Playwright switches off. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: ARGUMENTS,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

function skip(): typeof describe.skip {
  const notice = `There is no Chromium at ${EXECUTABLE}, so nothing is tested in a browser. CHROMIUM can name another.`;
  if (process.env['CI']) throw new Error(notice);
  process.stderr.write(`\n*** SKIPPED: ${notice} ***\n\n`);
  return describe.skip;
}
