import { ConsoleLogger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { edgeApps } from './support/edge-apps.js';

describe('the audit trail', () => {
  const start = edgeApps();
  let lines: string[];

  beforeEach(() => {
    lines = [];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  async function linesBy(logger: ConsoleLogger): Promise<string[]> {
    const { sessions } = await start({ configure: (app) => app.useLogger(logger) });
    const { session } = await sessions.create({ userId: 'ana', roles: ['a', 'b'] });
    await sessions.revoke(session.id);
    return lines.filter((line) => line.includes('SessionAudit'));
  }

  it('is one readable line for each entry on a console', async () => {
    const [created, revoked, ...more] = await linesBy(new ConsoleLogger({ colors: false }));
    expect(created).toMatch(/ LOG \[SessionAudit\] created sessionId=[\w-]+ userId=ana\n$/);
    expect(revoked).toMatch(/ LOG \[SessionAudit\] revoked reason=revoked sessionId=[\w-]+ userId=ana\n$/);
    expect(more).toEqual([]);
  });

  it('is one object for each entry as JSON', async () => {
    const [created] = await linesBy(new ConsoleLogger({ json: true }));
    expect(JSON.parse(created ?? '')).toMatchObject({
      level: 'log',
      context: 'SessionAudit',
      message: {
        event: 'created',
        vocabulary: 'session_created',
        userId: 'ana',
        client: { ip: null, userAgent: null, label: null },
      },
    });
  });
});
