/** What a request brought. */
export interface Page {
  readonly status: number;
  /** A whole address, where the answer leads elsewhere. */
  readonly location: string | null;
  readonly text: string;
  readonly headers: Headers;
}

/** Keeps cookies of each origin, and follows redirects as a browser does, step by step. */
export class CookieBrowser {
  private readonly jars = new Map<string, Map<string, string>>();

  /** @param servers where origins are really served; those with HTTPS as behind a proxy that speaks it */
  constructor(private readonly servers: Readonly<Record<string, string>>) {}

  /** The value of a cookie. */
  cookie(origin: string, name: string): string | undefined {
    return this.jars.get(origin)?.get(name);
  }

  setCookie(origin: string, name: string, value: string): void {
    const jar = this.jars.get(origin) ?? new Map<string, string>();
    this.jars.set(origin, jar.set(name, value));
  }

  open(address: string): Promise<Page> {
    return this.send(address, { method: 'GET' });
  }

  submit(address: string, form: Readonly<Record<string, string>> = {}): Promise<Page> {
    return this.send(address, { method: 'POST', body: new URLSearchParams(form) });
  }

  /** Follows redirects until a page, or an origin that is not served. */
  async follow(page: Page): Promise<Page> {
    const { location } = page;
    if (location === null || !(new URL(location).origin in this.servers)) return page;
    return this.follow(await this.open(location));
  }

  private async send(address: string, init: RequestInit): Promise<Page> {
    const { origin, host, protocol, pathname, search } = new URL(address);
    const server = this.servers[origin];
    if (server === undefined) throw new Error(`Nobody serves ${address}.`);
    const cookies = [...(this.jars.get(origin) ?? [])].map((pair) => pair.join('=')).join('; ');
    const headers: Record<string, string> = { cookie: cookies };
    if (protocol === 'https:')
      Object.assign(headers, { 'x-forwarded-proto': 'https', 'x-forwarded-host': host });
    const answer = await fetch(server + pathname + search, { ...init, headers, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) this.keep(origin, line);
    const location = answer.headers.get('location');
    return {
      status: answer.status,
      location: location === null ? null : new URL(location, address).href,
      text: await answer.text(),
      headers: answer.headers,
    };
  }

  private keep(origin: string, line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    const expires = /;\s*expires=([^;]+)/i.exec(line)?.[1];
    const isOver = /;\s*max-age=0/i.test(line) || (expires !== undefined && Date.parse(expires) < Date.now());
    if (isOver) this.jars.get(origin)?.delete(name);
    else this.setCookie(origin, name, value);
  }
}
