import { fileURLToPath } from 'node:url';
import type { Duration } from 'nestjs-sessions';

const database = process.env.DATABASE ?? fileURLToPath(new URL('../bank.sqlite', import.meta.url));

/** What can be set from outside, by environment variables. */
export const config = {
  port: Number(process.env.PORT ?? 3000),
  platform: process.env.PLATFORM === 'fastify' ? 'fastify' : 'express',
  /** The proxy that speaks HTTPS, where there is one: its address, or `loopback` for this machine. */
  trustedProxy: process.env.TRUST_PROXY,
  database,
  /** Where the audit trail is kept, one entry a line. */
  auditTrail: `${database}.audit.jsonl`,
  /** How long after the password was typed in money may be sent. */
  transferWithin: (process.env.TRANSFER_WITHIN ?? '5m') as Duration,
  /** How long somebody may be idle before their session ends. */
  idleTimeout: (process.env.IDLE_TIMEOUT ?? '15m') as Duration,
} as const;
