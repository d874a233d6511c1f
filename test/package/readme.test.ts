import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve('.');
const README = readFileSync('README.md', 'utf8');
const EXAMPLES = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);

/** What examples without imports of their own take for granted. */
const PREAMBLE = `
import { Injectable, Logger, Module, type CanActivate, type OnModuleInit } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { APP_GUARD } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Cron } from '@nestjs/schedule';
import { Column, DataSource, Entity } from 'typeorm';
import { BaseSessionEntity, SessionGuard, SessionModule, SessionService } from 'nestjs-sessions';
declare const app: NestExpressApplication;
declare class TenantGuard implements CanActivate { canActivate(): boolean }
declare class User {}
`;
const MIGRATION = `import { CreateSessions1767225600000 } from 'nestjs-sessions/migrations';\n`;

/** Files that are not on disk: the examples, and the reader's own file that the first one imports. */
const FILES = new Map([
  [
    resolve('test/package/users.service.ts'),
    `import type { Role } from 'nestjs-sessions';
     export class Credentials { username!: string; password!: string }
     export class UsersService {
       verify(credentials: Credentials): Promise<{ id: string; roles: Role[] } | null> {
         return Promise.resolve({ id: credentials.username, roles: ['customer'] });
       }
     }`,
  ],
  ...EXAMPLES.map((code, index) => {
    const isWhole = code.startsWith('import') && code.includes('@nestjs/common');
    const migration = code.includes(MIGRATION) ? '' : MIGRATION;
    return [
      resolve(`test/package/example-${index}.ts`),
      isWhole ? code : PREAMBLE + migration + code,
    ] as const;
  }),
]);

function mistakes(): string[] {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => FILES.has(resolve(path)) || fileExists(path);
  host.readFile = (path) => FILES.get(resolve(path)) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = FILES.get(resolve(path));
    return text === undefined
      ? getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, { ...rest, languageVersion: ts.ScriptTarget.ES2023 });
  };
  const paths = {
    'nestjs-sessions': [resolve('src/index.ts')],
    'nestjs-sessions/migrations': [resolve('src/store/migrations/index.ts')],
  };
  const unchecked = { noUnusedLocals: false, noUnusedParameters: false };
  const program = ts.createProgram([...FILES.keys()], { ...options, ...unchecked, paths }, host);
  return [...FILES.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText }) => `${path}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  });
}

/** The names of the members of an interface or class that everybody may use. */
function membersOf(path: string, name: string): string[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023, true);
  const declaration = file.statements.find(
    (statement): statement is ts.InterfaceDeclaration | ts.ClassDeclaration =>
      (ts.isInterfaceDeclaration(statement) || ts.isClassDeclaration(statement)) &&
      statement.name?.text === name,
  );
  const members: readonly (ts.TypeElement | ts.ClassElement)[] = declaration?.members ?? [];
  return members
    .filter((member) => !(ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private))
    .flatMap((member) => (member.name && ts.isIdentifier(member.name) ? [member.name.text] : []));
}

/** The texts in single quotes of the types of a file. */
function literalsOf(path: string, pattern: RegExp): string[] {
  return [...readFileSync(path, 'utf8').matchAll(pattern)].map(([, literal = '']) => literal);
}

describe('the README', () => {
  it('has examples that compile', () => {
    expect(EXAMPLES.length).toBeGreaterThan(8);
    expect(mistakes()).toEqual([]);
  }, 60_000);

  it.each([
    ['option', membersOf('src/core/options.ts', 'SessionModuleOptions')],
    ['static option', membersOf('src/session.module-definition.ts', 'SessionModuleStaticOptions')],
    ['type of event', literalsOf('src/core/events.ts', /readonly type: '([\w-]+)'/g)],
    ['code of a refusal', literalsOf('src/core/events.ts', /^ {2}\| '(\w+_\w+)'/gm)],
  ])('names every %s', (_, names) => {
    expect(names.length).toBeGreaterThan(3);
    expect(names.filter((name) => !README.includes(`\`${name}\``))).toEqual([]);
  });

  it('names every verb of SessionService and every decorator', () => {
    const verbs = membersOf('src/session.service.ts', 'SessionService').filter((name) => name !== 'events');
    const decorators = ['access', 'life'].flatMap((kind) =>
      literalsOf(`src/http/${kind}.decorators.ts`, /^export function ([A-Z]\w+)/gm),
    );
    expect(verbs.length).toBeGreaterThan(10);
    expect(decorators.length).toBeGreaterThan(8);
    expect(verbs.filter((name) => !README.includes(`\`${name}(`))).toEqual([]);
    expect(decorators.filter((name) => !README.includes(`\`@${name}(`))).toEqual([]);
  });
});
