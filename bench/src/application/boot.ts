import 'reflect-metadata';
import { Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { performance } from 'node:perf_hooks';
import type * as Library from '../library.js';
import type { Boot } from './messages.js';

// An application that starts, says what that took, and ends. Its argument is a build of the library, or nothing.

const [, , library] = process.argv;

const imports: ModuleMetadata['imports'] = [
  TypeOrmModule.forRoot({
    type: 'sqlite',
    database: ':memory:',
    autoLoadEntities: true,
    synchronize: true,
  }),
];
if (library !== undefined) {
  const { SessionModule } = (await import(library)) as typeof Library;
  imports.push(SessionModule.forRoot());
}

@Module({ imports })
class Application {}

const app = await NestFactory.create(Application, { logger: false });
await app.listen(0, '127.0.0.1');
// Since the process was started.
const milliseconds = performance.now();
globalThis.gc?.();
const { rss, heapUsed } = process.memoryUsage();
process.send?.({ milliseconds, rss, heapUsed } satisfies Boot);
await app.close();
process.disconnect?.();
