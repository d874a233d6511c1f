import { Injectable, Module } from '@nestjs/common';
import { LazyModuleLoader } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from '@jest/globals';
import { SessionModule, SessionService } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';

const TWICE = /is called more than once/;

function sessions(securityLevel: 'low' | 'high') {
  return SessionModule.forRoot({ store: InMemorySessionStore, securityLevel });
}

describe('an application with the module twice', () => {
  it.each([
    ['with different options', [sessions('low'), sessions('high')]],
    ['with the same', [sessions('low'), sessions('low')]],
    [
      'in another way',
      [
        sessions('low'),
        SessionModule.forRootAsync({
          store: InMemorySessionStore,
          useFactory: () => ({ securityLevel: 'low' }),
        }),
      ],
    ],
  ])('does not start: %s', async (_, imports) => {
    await expect(Test.createTestingModule({ imports }).compile()).rejects.toThrow(TWICE);
  });

  it('does not start where a feature brings the second', async () => {
    @Module({ imports: [sessions('high')] })
    class Feature {}
    const module = Test.createTestingModule({ imports: [sessions('low'), Feature] });
    await expect(module.compile()).rejects.toThrow(TWICE);
  });

  it('refuses a second one that is loaded later', async () => {
    @Module({ imports: [sessions('high')] })
    class Feature {}
    const app = await Test.createTestingModule({ imports: [sessions('low')] }).compile();
    await expect(app.get(LazyModuleLoader).load(() => Feature)).rejects.toThrow(TWICE);
    await app.close();
  });

  it('is not one whose modules share what one call returned', async () => {
    const shared = SessionModule.forRoot({ store: InMemorySessionStore, isGlobal: false });
    @Injectable()
    class Seller {
      constructor(readonly service: SessionService) {}
    }
    @Module({ imports: [shared], providers: [Seller] })
    class Shop {}
    const app = await Test.createTestingModule({ imports: [shared, Shop] }).compile();
    expect(app.get(Seller, { strict: false }).service).toBe(app.get(SessionService, { strict: false }));
    await app.close();
  });
});
