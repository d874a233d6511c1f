import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { config } from './config.js';

const options: NestApplicationOptions = { logger: ['warn', 'error', 'fatal'] };

/** The same bank on either platform; only what each calls the proxy that it believes is different. */
export async function createApp(): Promise<INestApplication> {
  if (config.platform === 'fastify') {
    const adapter = new FastifyAdapter(config.trustedProxy ? { trustProxy: config.trustedProxy } : {});
    return NestFactory.create(AppModule, adapter, options);
  }
  const app = await NestFactory.create<NestExpressApplication>(AppModule, new ExpressAdapter(), options);
  if (config.trustedProxy) app.set('trust proxy', config.trustedProxy);
  return app;
}
