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
  { host, method, handler, original, kinds }: Called,
  { opens }: Pick<Requirement, 'opens'>,
  interceptor: unknown,
): boolean {
  const type = classOf(interceptor);
  if (!isClass(type)) return false;
  const cache = cacheIn(type);
  if (cache === null) return false;
  const key = cacheKeyOf(handler);
  // What the instance has in its place, such as a bound one, is for reading as the method is.
  const isKeptByUrl = isForReading(original) || (kinds.includes('route') && keepsWrites(interceptor));
  if (key === undefined && !isKeptByUrl) return false;
  // Who signs in has no session yet that a key could have.
  if (opens === 'start') return true;
  const takesSession = pipesOfParameters(host.type, method).includes(DISCLOSE);
  return takesSession && typeof key !== 'function' && keysAsEver(type, cache);
}

/** The class of Nest in the lineage of an interceptor. */
function cacheIn(type: Class): Class | null {
  const cache = lineageOf(type).findLast(({ name }) => name === CACHE);
  return cache && 'trackBy' in (cache.prototype as object) ? cache : null;
}

/** Whether a subclass keeps the answers of other routes than those for GET, too. */
function keepsWrites(interceptor: unknown): boolean {
  const { allowedMethods } = interceptor as { readonly allowedMethods?: readonly unknown[] };
  return allowedMethods?.some((verb) => verb !== 'GET' && verb !== 'HEAD') ?? false;
}

/** Whether its class does not say what is kept, and by which key. The methods of an instance may be wrapped. */
function keysAsEver({ prototype }: Class, cache: Class): boolean {
  const [own, original] = [prototype, cache.prototype] as [Keying, Keying];
  return own.trackBy === original.trackBy && own.isRequestCacheable === original.isRequestCacheable;
}
