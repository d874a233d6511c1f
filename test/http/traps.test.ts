import { setTimeout as wait } from 'node:timers/promises';
import { ClassSerializerInterceptor, Controller, Get, Injectable } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { Cron, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { describe, expect, it } from '@jest/globals';
import { Column, DataSource, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { PLATFORMS } from '../support/platforms.js';
import { AccountController, bearer, cookieIn, signIn } from '../support/sign-in.js';
import { appsOn, countRows, type TestApp } from '../support/test-app.js';

@Entity('notes')
class NoteEntity {
  @PrimaryGeneratedColumn() id!: number;
  @Column('varchar') text!: string;
}

@Controller()
class MineController {
  @Get('mine') mine(): string {
    return 'mine';
  }
}

const controllers = [AccountController, MineController];
const ROUNDS = 100;

/** A transaction of the application's that does some work and then rolls back. */
async function rolledBack({ dataSource }: TestApp): Promise<void> {
  const work = dataSource.transaction(async (manager) => {
    await manager.insert(NoteEntity, { text: 'never kept' });
    await wait(Math.random() * 3);
    await manager.insert(NoteEntity, { text: 'never kept' });
    throw new Error('rolled back');
  });
  await expect(work).rejects.toThrow('rolled back');
}

describe.each(PLATFORMS)('on %s', (platform) => {
  const start = appsOn(platform);

  it("a job of the application's runs once per tick, and nothing of ours is among its jobs", async () => {
    const runs: number[] = [];
    @Injectable()
    class Jobs {
      @Cron('* * * * * *') tick(): void {
        runs.push(Date.now());
      }
    }
    const app = await start({ controllers, imports: [ScheduleModule.forRoot()], providers: [Jobs] });
    const registry = app.app.get(SchedulerRegistry);
    expect(registry.getCronJobs().size).toBe(1);
    expect([...registry.getIntervals(), ...registry.getTimeouts()]).toEqual([]);
    await wait(1_100);
    const seconds = runs.map((time) => Math.round(time / 1_000));
    expect(seconds.length).toBeGreaterThan(0);
    expect(new Set(seconds).size).toBe(seconds.length);
  });

  describe("beside transactions of the application's on the same SQLite connection that roll back,", () => {
    const begin = () => start({ controllers, imports: [TypeOrmModule.forFeature([NoteEntity])] });

    it(`${ROUNDS} of ${ROUNDS} sign-outs stand`, async () => {
      const app = await begin();
      let undone = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const token = await signIn(app);
        const transaction = rolledBack(app);
        await wait(Math.random() * 2);
        await app.http.post('/logout').set(bearer(token)).expect(200);
        await transaction;
        if ((await app.http.get('/me').set(bearer(token))).status !== 401) undone++;
      }
      expect(undone).toBe(0);
      expect(await app.dataSource.getRepository(NoteEntity).count()).toBe(0);
    });

    it('sign-ins, rotations and changes by the service stand, every time', async () => {
      const app = await begin();
      const undone: string[] = [];
      for (let round = 0; round < ROUNDS / 2; round++) {
        const userId = `user${round}`;
        const { session } = await app.sessions.create({ userId });
        const transaction = rolledBack(app);
        if (round % 2) await wait(Math.random() * 2);
        const [created] = await Promise.all([
          app.sessions.create({ userId }),
          app.sessions.update(session.id, () => ({ round })),
          app.sessions.setRoles(userId, ['admin']),
        ]).catch((error: { status?: number }) => {
          // A sign-in that began before the roles changed: refused, and rightly so.
          if (error.status === 401) return [null];
          throw error;
        });
        const rotated = await app.sessions.rotate(session.id);
        await transaction;
        if (created && (await app.sessions.validate(created.token)).session === null) undone.push('create');
        const { session: seen } = await app.sessions.validate(rotated.token);
        if (seen?.data['round'] !== round) undone.push('update');
        if (seen?.roles[0] !== 'admin') undone.push('setRoles');
      }
      expect(undone).toEqual([]);
    });

    it('many sign-outs at once stand, and none fails', async () => {
      const app = await begin();
      const issued = await Promise.all(
        Array.from({ length: 40 }, (_, index) => app.sessions.create({ userId: `user${index}` })),
      );
      const transactions = (async () => {
        for (let count = 0; count < 5; count++) await rolledBack(app);
      })();
      const revoked = await Promise.all(issued.map(({ session }) => app.sessions.revoke(session.id)));
      await transactions;
      expect(new Set(revoked)).toEqual(new Set([true]));
      expect(await countRows(app)).toBe(0);
      expect(app.logs.texts('warn')).toEqual([]);
    });

    it("a transaction of the application's is not held up by sessions, and commits", async () => {
      const app = await begin();
      const token = await signIn(app);
      await Promise.all([
        ...Array.from({ length: 10 }, () => app.http.get('/mine').set(bearer(token)).expect(200)),
        app.dataSource.transaction(async (manager) => {
          await manager.insert(NoteEntity, { text: 'kept' });
          await wait(5);
        }),
      ]);
      expect(await app.dataSource.getRepository(NoteEntity).count()).toBe(1);
    });

    it('a verb inside a transaction does not hang: after a second it joins it, and the log says so', async () => {
      const app = await begin();
      const { session, token } = await app.sessions.create({ userId: 'ana' });
      await app.dataSource.transaction(async (manager) => {
        await manager.insert(NoteEntity, { text: 'kept' });
        expect(await app.sessions.revoke(session.id)).toBe(true);
      });
      expect(await app.sessions.validate(token)).toEqual({ session: null, reason: 'unknown' });
      expect(app.logs.texts('warn').join()).toContain('outside of transactions');
    });
  });

  it('what is called request.session is left to express-session', async () => {
    const mine = { views: 7 };
    const app = await start({
      controllers,
      configure: (nest) =>
        nest.use((request: { session?: object }, _response: object, next: () => void) => {
          request.session = mine;
          next();
        }),
    });
    await app.http
      .get('/mine')
      .set(bearer(await signIn(app)))
      .expect(200);
    expect(mine).toEqual({ views: 7 });
  });

  it('another cookie parser and other cookies do not get in the way', async () => {
    const app = await start({ controllers });
    const answer = await app.http
      .post('/web/login')
      .set('Cookie', 'connect.sid=s%3Aother')
      .send({ userId: 'ana' });
    const cookies = `connect.sid=s%3Aother; ${cookieIn(answer)}; theme="a=b;c"`;
    await app.http.get('/mine').set('Cookie', cookies).expect(200);
  });

  it("Nest's ClassSerializerInterceptor, which copies what handlers return, shows no more and breaks nothing", async () => {
    const providers = [{ provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor }];
    const app = await start({ controllers, providers });
    const answer = await app.http.post('/login').send({ userId: 'ana', roles: ['r'], data: { private: 1 } });
    expect(Object.keys(answer.body as object)).toEqual(['token', 'expiresAt', 'session']);
    expect(new Date(answer.body.session.createdAt as string).getTime()).toBeGreaterThan(0);
    const me = await app.http
      .get('/me')
      .set(bearer(answer.body.token as string))
      .expect(200);
    expect(me.body).toMatchObject({ userId: 'ana', roles: ['r'] });
    expect(me.text).not.toMatch(/private|[0-9a-f]{64}/);
  });

  it('two applications in one process keep their sessions apart', async () => {
    const [one, two] = [await start({ controllers }), await start({ controllers })];
    const token = await signIn(one);
    await one.http.get('/mine').set(bearer(token)).expect(200);
    await two.http.get('/mine').set(bearer(token)).expect(401);
  });

  it('activity that is under way is written when the application shuts down', async () => {
    const app = await start({ controllers, options: { touchEvery: 1 } });
    const token = await signIn(app);
    await app.http.get('/mine').set(bearer(token)).expect(200);
    await wait(5);
    // On the one connection of SQLite the activity waits for the end of this.
    const transaction = app.app.get(DataSource).createQueryRunner();
    await transaction.startTransaction();
    app.queries.length = 0;
    const touches = () => app.queries.filter((query) => query.includes('"last_seen_at" ='));
    await app.http.get('/mine').set(bearer(token)).expect(200);
    expect(touches()).toHaveLength(0);
    const closed = app.app.close();
    await wait(5);
    await transaction.commitTransaction();
    await closed;
    expect(touches()).toHaveLength(1);
  });
});
