import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { withSessions } from 'nestjs-sessions/openapi';
import { Validator } from '@seriousme/openapi-schema-validator';

/** Not for the compiler: the roles that it declares would be those of all tests. */
const SAMPLE: string = '../../sample/src/app.module.js';

/** The document of the sample, before the sample listens: as an application's `main.ts` makes it. */
async function documentOfSample(version: string): Promise<OpenAPIObject> {
  process.env['DATABASE'] = ':memory:';
  const { AppModule } = (await import(SAMPLE)) as { AppModule: Type };
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  try {
    const config = new DocumentBuilder()
      .setTitle('The bank')
      .setVersion('1')
      .setOpenAPIVersion(version)
      .build();
    return SwaggerModule.createDocument(app, withSessions(app, config));
  } finally {
    await app.close();
  }
}

describe.each(['3.0.4', '3.1.0'])('the document of the sample, as OpenAPI %s', (version) => {
  let document: OpenAPIObject;

  beforeAll(async () => {
    document = await documentOfSample(version);
  });

  it('is valid', async () => {
    const { valid, errors } = await new Validator().validate({ ...structuredClone(document) });
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it('names no schema and no security scheme that it does not have', () => {
    const text = JSON.stringify(document);
    const { schemas = {}, securitySchemes = {} } = document.components ?? {};
    const named = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name);
    expect(Object.keys(schemas)).toEqual(expect.arrayContaining([...new Set(named)]));
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    const asked = operations.flatMap(({ security = [] }) => (security as object[]).flatMap(Object.keys));
    expect(Object.keys(securitySchemes).toSorted()).toEqual([...new Set(asked)].toSorted());
  });

  it('says of every operation whether it needs a token', () => {
    const silent = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, { security }]) => security === undefined)
        .map(([verb]) => `${verb} ${path}`),
    );
    expect(silent).toEqual([]);
  });
});

it('is as it was', async () => {
  expect(await documentOfSample('3.0.4')).toMatchSnapshot();
});
