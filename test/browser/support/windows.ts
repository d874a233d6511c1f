import { expect } from '@jest/globals';
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  ConsoleMessage,
  Page,
  WebSocket,
} from 'playwright-core';

/** All that a page could leave behind on a device. Text, since it runs in the browser. */
const WHAT_IS_STORED = `(async () => [
  ...Object.keys(localStorage),
  ...Object.keys(sessionStorage),
  ...(await indexedDB.databases()),
  ...(await caches.keys()),
  ...(await navigator.serviceWorker.getRegistrations()),
  ...document.cookie.split(';').filter(Boolean),
])()`;

/** They begin where they work. */
const STAFF: ReadonlySet<string> = new Set(['sam', 'ada']);

/** Windows of people who know nothing of each other; what no window may do is noticed in all of them. */
export class Windows {
  private readonly contexts: BrowserContext[] = [];
  private problems: string[] = [];

  constructor(
    private readonly browser: Browser,
    private readonly url: () => string,
  ) {}

  /** A window with cookies of its own, that shows the bank. */
  async open(options: BrowserContextOptions = {}, url = this.url()): Promise<Page> {
    const context = await this.browser.newContext(options);
    this.contexts.push(context);
    return this.openBeside(context, url);
  }

  /** Another window of the same person. */
  async openBeside(context: BrowserContext, url = this.url()): Promise<Page> {
    const page = await context.newPage();
    page.on('console', (message) => this.hear(message));
    page.on('pageerror', (error) => this.problems.push(String(error)));
    await page.goto(url);
    return page;
  }

  /** @param username whose demo password it is */
  async signIn(username: string, options?: BrowserContextOptions): Promise<Page> {
    const page = await this.open(options);
    await signIn(page, username);
    return page;
  }

  /** Closes all, and sees to it that nothing was stored and nothing went wrong. */
  async close(): Promise<void> {
    const { problems } = this;
    const stored: unknown[] = [];
    for (const context of this.contexts) {
      for (const page of context.pages()) {
        if (page.url().startsWith(this.url()))
          stored.push(...((await page.evaluate(WHAT_IS_STORED)) as unknown[]));
      }
      await context.close();
    }
    this.contexts.length = 0;
    this.problems = [];
    expect({ problems, stored }).toEqual({ problems: [], stored: [] });
  }

  private hear(message: ConsoleMessage): void {
    if (message.type() !== 'error' && message.type() !== 'warning') return;
    // What the API refuses, Chromium reports as an error; it is none of the page's.
    if (/^Failed to load resource: .* 4\d\d /.test(message.text())) return;
    this.problems.push(message.text());
  }
}

export async function signIn(page: Page, username: string, begins = homeOf(username)): Promise<void> {
  await page.getByRole('textbox', { name: 'Username' }).fill(username);
  await page.getByRole('textbox', { name: 'Password' }).fill(`${username}-demo-password`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await seeHeading(page, begins);
}

function homeOf(username: string): string {
  return STAFF.has(username) ? 'Staff' : 'Accounts';
}

export async function seeHeading(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { name, exact: true }).waitFor();
}

export async function see(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor();
}

export async function goTo(page: Page, view: 'Accounts' | 'Devices' | 'Staff'): Promise<void> {
  await page.getByRole('link', { name: view, exact: true }).click();
}

/** Loads a window anew. @returns the socket by which it then hears what is new */
export async function newsOf(page: Page): Promise<WebSocket> {
  const [socket] = await Promise.all([page.waitForEvent('websocket'), page.reload()]);
  return socket;
}
