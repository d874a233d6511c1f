import type { Counter, Histogram, Meter } from '@opentelemetry/api';

interface Instruments {
  readonly validations: Counter;
  readonly storeDuration: Histogram;
  readonly groupSize: Histogram;
  readonly touches: Counter;
  readonly events: Counter;
  readonly purged: Counter;
}

/** A look-up takes less than a millisecond, and what takes five seconds is given up. */
const SECONDS = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Names and units are public: a dashboard rests on them. */
export function instrumentsOf(meter: Meter): Instruments {
  return {
    validations: meter.createCounter('nestjs_sessions.validations', {
      description: 'Tokens that were looked at.',
      unit: '{token}',
    }),
    storeDuration: meter.createHistogram('nestjs_sessions.store.duration', {
      description: 'How long calls of the store took.',
      unit: 's',
      advice: { explicitBucketBoundaries: SECONDS },
    }),
    groupSize: meter.createHistogram('nestjs_sessions.lookup.group_size', {
      description: 'How many look-ups shared one query.',
      unit: '{lookup}',
      advice: { explicitBucketBoundaries: SIZES },
    }),
    touches: meter.createCounter('nestjs_sessions.touches', {
      description: 'Activity of sessions that was written, or given up.',
      unit: '{touch}',
    }),
    events: meter.createCounter('nestjs_sessions.events', {
      description: 'Events of sessions.',
      unit: '{event}',
    }),
    purged: meter.createCounter('nestjs_sessions.purged', {
      description: 'Expired sessions whose rows were removed.',
      unit: '{session}',
    }),
  };
}
