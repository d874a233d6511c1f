import { readFileSync } from 'node:fs';
import { channel } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { LiveSessionsMetric, SessionMetrics } from 'nestjs-sessions/opentelemetry';
import { MEASUREMENTS } from '../../src/core/model/measurements.js';
import { appsOn, breakStore, type TestApp } from '../support/test-app.js';
import { AccountController } from '../support/sign-in.js';

const start = appsOn('express');
let exporter: PrometheusExporter;

beforeEach(() => {
  exporter = new PrometheusExporter({ preventServerStart: true });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
});
afterEach(() => metrics.disable());

async function exposition(): Promise<string> {
  const { resourceMetrics, errors } = await exporter.collect();
  expect(errors).toEqual([]);
  return new PrometheusSerializer().serialize(resourceMetrics);
}

/** Every kind of what is measured, once at least. */
async function load(app: TestApp): Promise<string[]> {
  const { sessions, dataSource } = app;
  const issued = await Promise.all(['ana', 'ben'].map((userId) => sessions.create({ userId, roles: [] })));
  await Promise.all(issued.map(({ token }) => sessions.validate(token)));
  await sessions.validate('no token');
  await sessions.revoke(issued[0]!.session.id);
  await dataSource.query('UPDATE sessions SET purge_after = 1, expires_at = 1');
  await sessions.purgeExpired();
  await app.http.get('/me').expect(401);
  const mend = breakStore(app);
  await sessions.validate(issued[1]!.token).catch(() => {});
  mend();
  return issued.flatMap(({ session, token }) => [session.id, token, token.slice(4, 26), session.userId]);
}

const options = { touchEvery: 0 };
const given = { controllers: [AccountController], providers: [SessionMetrics, LiveSessionsMetric], options };

describe('metrics', () => {
  it('count and time what happens to sessions', async () => {
    await load(await start(given));
    const text = await exposition();
    for (const line of [
      /^nestjs_sessions_validations_total\{outcome="accepted",.*\} 2$/m,
      /^nestjs_sessions_validations_total\{outcome="malformed",.*\} 1$/m,
      /^nestjs_sessions_store_duration_count\{operation="insert",outcome="done",.*\} 2$/m,
      /^nestjs_sessions_store_duration_count\{operation="findBySeries",outcome="failed",.*\} 1$/m,
      /^nestjs_sessions_store_duration_bucket\{operation="findBySeries",.*le="0\.001"\}/m,
      /^nestjs_sessions_lookup_group_size_sum\{.*\} [1-9]$/m,
      /^nestjs_sessions_touches_total\{outcome="written",.*\} \d$/m,
      /^nestjs_sessions_events_total\{type="revoked",reason="revoked",.*\} 1$/m,
      /^nestjs_sessions_events_total\{type="refused",code="session_required",.*\} 1$/m,
      /^nestjs_sessions_purged_total\{.*\} 1$/m,
    ]) {
      expect(text).toMatch(line);
    }
  });

  it('say how many sessions are live, and ask the database once in a minute', async () => {
    const app = await start(given);
    await app.sessions.create({ userId: 'ana', roles: [] });
    await app.sessions.createAnonymous();
    expect(await exposition()).toMatch(/^nestjs_sessions_live\{.*\} 2$/m);
    app.queries.length = 0;
    await app.sessions.create({ userId: 'ben', roles: [] });
    expect(await exposition()).toMatch(/^nestjs_sessions_live\{.*\} 2$/m);
    expect(app.queries.filter((query) => query.includes('COUNT'))).toEqual([]);
  });

  it('say no number of live sessions where the database does not answer', async () => {
    const app = await start(given);
    breakStore(app);
    expect(await exposition()).not.toMatch(/^nestjs_sessions_live\{/m);
  });

  it('say nothing of whom they are about', async () => {
    const secrets = await load(await start(given));
    const text = await exposition();
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });

  it('are those of the page, and so are those of the dashboard', async () => {
    await load(await start(given));
    const families = [...(await exposition()).matchAll(/^# TYPE (nestjs_\w+) /gm)].map(([, name]) => name!);
    const page = readFileSync('docs/monitoring.md', 'utf8');
    const rows = [...page.matchAll(/^\| `(nestjs_sessions\.[\w.]+)` .* `(nestjs_\w+)` +\|$/gm)];
    expect(rows.map(([, , name]) => name).toSorted()).toEqual(families.toSorted());
    const dashboard = readFileSync('docs/grafana-dashboard.json', 'utf8');
    const shown = [...dashboard.replaceAll('(_seconds)?', '').matchAll(/nestjs_sessions_\w+/g)].map(
      ([name]) => name.replace(/_(bucket|sum|count)?$/, ''),
    );
    expect([...new Set(shown)].toSorted()).toEqual(families.toSorted());
  });

  it('are measured by nobody without, and no more once the application is closed', async () => {
    const isHeard = () => Object.values(MEASUREMENTS).some(({ name }) => channel(name).hasSubscribers);
    await start({ ...given, providers: [] });
    expect(isHeard()).toBe(false);
    const { app } = await start(given);
    expect(isHeard()).toBe(true);
    await app.close();
    expect(isHeard()).toBe(false);
  });
});
