import { cacheKeyOf, isForReading, pipesOfParameters } from '../handler-metadata.js';
import { type Class, lineageOf } from '../lineage.js';
import { DISCLOSE } from '../pipe-passage.js';
import type { Requirement } from '../requirement.js';
import type { Called } from './handlers.js';
import { classOf, isClass } from './hosts.js';

/** Nest's interceptor for caches, by its name, since hardly any application has its package. */
const CACHE = 'CacheInterceptor';

type Keying = { readonly trackBy?: unknown; readonly isRequestCacheable?: unknown };

/** Whether an interceptor that caches before the handler would keep what is for one person, for whoever comes next. */
export function leaksThrough(
  { host, method, handler }: Called,
  { opens }: Pick<Requirement, 'opens'>,
  interceptor: unknown,
): boolean {
  const cache = cacheIn(interceptor);
  const key = cacheKeyOf(handler);
  if (cache === null || (key === undefined && !isForReading(handler))) return false;
  // Who signs in has no session yet that a key could have.
  if (opens === 'start') return true;
  const takesSession = pipesOfParameters(host.type, method).includes(DISCLOSE);
  return takesSession && typeof key !== 'function' && keysAsEver(interceptor as Keying, cache);
}

/** The class of Nest in the lineage of an interceptor. */
function cacheIn(interceptor: unknown): Class | null {
  const type = classOf(interceptor);
  const cache = isClass(type) ? lineageOf(type).findLast(({ name }) => name === CACHE) : undefined;
  return cache && 'trackBy' in (cache.prototype as object) ? cache : null;
}

/** Whether it does not say by itself what is kept, and by which key. */
function keysAsEver({ trackBy, isRequestCacheable }: Keying, { prototype }: Class): boolean {
  const original = prototype as Keying;
  return trackBy === original.trackBy && isRequestCacheable === original.isRequestCacheable;
}
