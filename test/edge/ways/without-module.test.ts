import { Controller, Get, Module, type Type } from '@nestjs/common';
import { expect, it } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { RequireRole, SessionModule } from 'nestjs-sessions';
import { InMemorySessionStore } from 'nestjs-sessions/testing';
import { noteRuns } from '../support/runs.js';

/* Applications, and modules, that do not import what the guard comes from. */

const { ran, note } = noteRuns();

@Controller()
class Undecorated {
  @Get('plain') plain(): string {
    return note('plain');
  }
}

@Controller()
class Decorated {
  @RequireRole('admin') @Get('secret') secret(): string {
    return note('secret');
  }
}

async function visit(imports: object[], path: string): Promise<void> {
  const module = await Test.createTestingModule({ imports: imports as Type[] }).compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  await fetch(`${await app.getUrl()}/${path}`);
  await app.close();
}

const moduleOf = (type: Type): Type => {
  @Module({ controllers: [type] })
  class Feature {}
  return Feature;
};

it('an application without SessionModule is open, and does not start where a decorator stands', async () => {
  await visit([moduleOf(Undecorated)], 'plain');
  expect(ran).toEqual(['plain']);
  await expect(visit([moduleOf(Decorated)], 'secret')).rejects.toThrow(
    "can't resolve dependencies of the DecoratorGuard",
  );
});

it('with isGlobal: false all is guarded, and a decorator in a module that does not import it stops the boot', async () => {
  const sessions = SessionModule.forRoot({ store: InMemorySessionStore, isGlobal: false });
  await visit([sessions, moduleOf(Undecorated)], 'plain');
  expect(ran).toEqual([]);
  await expect(visit([sessions, moduleOf(Decorated)], 'secret')).rejects.toThrow(
    "can't resolve dependencies of the DecoratorGuard",
  );
});
