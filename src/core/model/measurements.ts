import { channel } from 'node:diagnostics_channel';
import type { RefusalReason } from './session.js';

/** What is measured. None of it has an id, a token or a user. */
export interface Measurements {
  /** A token was looked at. */
  readonly validation: { readonly outcome: 'accepted' | RefusalReason };
  /** A call of the store has ended: the name of its method, how long it took, and whether it failed. */
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
