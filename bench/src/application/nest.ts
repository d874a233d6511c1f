import { type DynamicModule, type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Platform } from '../contestants/contestant.js';

class Application {}

/** A Nest application as its users make it, without the chatter. */
export function createApp(platform: Platform, metadata: ModuleMetadata): Promise<INestApplication> {
  const module = { module: Application, ...metadata } as DynamicModule & { module: Type };
  const adapter = platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  return NestFactory.create(module, adapter, { logger: ['error', 'warn'], abortOnError: false });
}
