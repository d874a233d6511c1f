import type { DynamicModule } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { SessionModule, SessionOptionsError, SessionService } from 'nestjs-sessions';
import { LogRecorder } from '../support/recorders.js';
import { SQLITE_DRIVER } from '../support/sqlite-driver.js';

const database = {
  type: SQLITE_DRIVER,
  database: ':memory:',
  autoLoadEntities: true,
  synchronize: true,
  retryAttempts: 0,
} satisfies TypeOrmModuleOptions;
const otherName = { ...database, name: 'other' };

const WAYS: readonly [string, (dataSource?: string) => DynamicModule][] = [
  ['forRoot', (dataSource) => SessionModule.forRoot(dataSource === undefined ? {} : { dataSource })],
  [
    'forRootAsync',
    (dataSource) =>
      SessionModule.forRootAsync({ ...(dataSource !== undefined && { dataSource }), useFactory: () => ({}) }),
  ],
];

/** What the boot throws. */
async function refusalOf(...imports: DynamicModule[]): Promise<Error> {
  const builder = Test.createTestingModule({ imports }).setLogger(new LogRecorder());
  return builder.compile().then(
    () => new Error('It has booted.'),
    (reason: Error) => reason,
  );
}

describe.each(WAYS)('%s without its data source stops the boot, and says what to do,', (_, sessions) => {
  const NONE =
    'SessionModule option `dataSource` is undefined: the application has no data source without a name.';

  it('where there is no TypeORM', async () => {
    const refusal = await refusalOf(sessions());
    expect(refusal).toBeInstanceOf(SessionOptionsError);
    expect(refusal.message).toContain(NONE);
    expect(refusal.message).toContain('Add `TypeOrmModule.forRoot({ … })` of @nestjs/typeorm');
    expect(refusal.message).toContain('README, "Name the database"');
  });

  it('where the data source has a name', async () => {
    for (const imports of [
      [TypeOrmModule.forRoot(otherName), sessions()],
      [sessions(), TypeOrmModule.forRootAsync({ name: 'other', useFactory: () => otherName })],
    ]) {
      const refusal = await refusalOf(...imports);
      expect(refusal.message).toContain(NONE);
      expect(refusal.message).toContain('set `dataSource` to the name that yours has');
    }
  });

  it('where the data source has another name, none, or one that only its factory knows', async () => {
    for (const typeorm of [
      TypeOrmModule.forRoot(otherName),
      TypeOrmModule.forRoot(database),
      TypeOrmModule.forRootAsync({ useFactory: () => ({ ...database, name: 'sessions' }) }),
    ]) {
      const refusal = await refusalOf(typeorm, sessions('sessions'));
      expect(refusal).toBeInstanceOf(SessionOptionsError);
      expect(refusal.message).toContain(
        'option `dataSource` is "sessions": the application has no data source of this name.',
      );
      expect(refusal.message).toContain('or beside `useFactory` in `forRootAsync`');
    }
  });

  it('but not where the database is away: then that is the error', async () => {
    const away = { ...database, database: '/dev/null/app.sqlite' };
    for (const imports of [
      [TypeOrmModule.forRoot(away), sessions()],
      [sessions(), TypeOrmModule.forRoot(away)],
    ]) {
      const refusal = await refusalOf(...imports);
      expect(refusal).not.toBeInstanceOf(SessionOptionsError);
      expect(refusal.message).not.toContain('It has booted');
    }
  });

  it.each([
    [undefined, database],
    ['other', otherName],
  ])('and boots with the one that it names: %p', async (name, typeorm) => {
    const app = await Test.createTestingModule({
      imports: [sessions(name), TypeOrmModule.forRoot(typeorm)],
    }).compile();
    const service = app.get(SessionService, { strict: false });
    const { session } = await service.create({ userId: 'ana' });
    expect(session.userId).toBe('ana');
    await app.close();
  });
});
