import { fileURLToPath } from 'node:url';
import type { Duration } from 'nestjs-sessions';

/** What can be set from outside, by environment variables. */
export const config = {
  port: Number(process.env.PORT ?? 3000),
  database: process.env.DATABASE ?? fileURLToPath(new URL('../bank.sqlite', import.meta.url)),
  /** How long after the password was typed in money may be sent. */
  transferWithin: (process.env.TRANSFER_WITHIN ?? '5m') as Duration,
};
