import { channel } from 'node:diagnostics_channel';
import type { RefusalReason } from './session.js';

/** What is measured. None of it has an id, a token or a user. */
export interface Measurements {
  /** A token was looked at. */
  readonly validation: { readonly outcome: 'accepted' | RefusalReason };
  /** The store has answered: the name of its method, how long that took, and whether it failed. */
  readonly storeCall: { readonly operation: string; readonly seconds: number; readonly isFailed: boolean };
  /** So many look-ups shared one query. */
  readonly lookupGroup: { readonly size: number };
  /** Activity that was written, and that was given up because the database did not take it in time. */
  readonly touches: { readonly written: number; readonly dropped: number };
}

/**
 * Where measurements are told, for all applications of the process. While nobody listens nothing is measured: whoever
 * tells asks `hasSubscribers` first.
 */
export const MEASUREMENTS = {
  validation: channel('nestjs-sessions:validation'),
  storeCall: channel('nestjs-sessions:store-call'),
  lookupGroup: channel('nestjs-sessions:lookup-group'),
  touches: channel('nestjs-sessions:touches'),
} as const satisfies Record<keyof Measurements, object>;

/** Tells a measurement to whoever listens. */
export function measure<Name extends keyof Measurements>(name: Name, measured: Measurements[Name]): void {
  const { [name]: told } = MEASUREMENTS;
  if (told.hasSubscribers) told.publish(measured);
}

/** Times a call of the store, while somebody listens. */
export function measuredCall<T>(operation: string, call: () => Promise<T>): Promise<T> {
  return MEASUREMENTS.storeCall.hasSubscribers ? timed(operation, call) : call();
}

async function timed<T>(operation: string, call: () => Promise<T>): Promise<T> {
  const start = performance.now();
  let isFailed = true;
  try {
    const answer = await call();
    isFailed = false;
    return answer;
  } finally {
    measure('storeCall', { operation, seconds: (performance.now() - start) / 1_000, isFailed });
  }
}
