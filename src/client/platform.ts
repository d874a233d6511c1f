/**
 * What the client needs of its platform, in types of its own: neither those of the DOM nor those of Node are needed to
 * compile it or to use it.
 */

export interface HeadersLike {
  get(name: string): string | null;
  set(name: string, value: string): void;
  delete(name: string): void;
}

export interface RequestLike {
  readonly url: string;
  readonly headers: unknown;
  clone(): RequestLike;
}

export interface ResponseLike {
  readonly status: number;
  readonly statusText?: string;
  readonly ok: boolean;
  readonly url?: string;
  readonly redirected?: boolean;
  readonly type?: string;
  readonly headers: { get(name: string): string | null };
  /** `undefined` where a platform has no streams, as React Native. */
  readonly body?: unknown;
  clone(): ResponseLike;
  json(): Promise<unknown>;
}

export interface InitLike {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly redirect?: string;
  readonly credentials?: string;
  readonly duplex?: string;
}

export type InputLike = string | { readonly href: string } | RequestLike;

/** Any `fetch`, whoever's types describe it. */
export type AnyFetch = (input: never, init: never) => Promise<ResponseLike>;

export type Send = (input: InputLike, init?: InitLike) => Promise<ResponseLike>;

/** The platform's own `fetch`: that of the DOM, of Node or of React Native, where one of them is known to TypeScript. */
export type Fetch = typeof globalThis extends {
  fetch: infer Native extends (...parameters: never[]) => unknown;
}
  ? Native
  : Send;

interface Platform {
  readonly fetch: Send;
  readonly Headers: new (init?: unknown) => HeadersLike;
  readonly Response?: new (body: unknown, init: object) => ResponseLike;
  setTimeout(callback: () => void, delay: number): { unref?(): void };
  clearTimeout(timer: unknown): void;
}

export const platform = globalThis as unknown as Platform;
