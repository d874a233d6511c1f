import { describe, expect, it } from '@jest/globals';
import { format } from 'prettier';
import { auth } from '../../schematics/src/auth.js';
import { migration } from '../../schematics/src/migration.js';
import { nestAdd } from '../../schematics/src/nest-add.js';
import { type SessionModuleOptions, sessionModule } from '../../schematics/src/session-module.js';
import { application, type FakeTree, MODULE, PACKAGE, run } from './application.js';

const OPTIONS: SessionModuleOptions = { database: 'postgres', transport: 'cookie', securityLevel: 'high' };
const MIGRATION = 'src/migrations/1767225600000-create-sessions.ts';

const packageOf = (tree: FakeTree) =>
  tree.readJson('package.json') as Record<string, Record<string, unknown>>;
const packageWith = (changes: object) => JSON.stringify({ ...PACKAGE, ...changes });

describe('nest add', () => {
  it('adds the modules to the root, and the files that they are about', () => {
    const tree = application();
    const { installs } = run(nestAdd(OPTIONS), tree);
    expect(tree.readText('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller.js';
import { TypeOrmModule } from '@nestjs/typeorm';
import { database } from './database.js';
import { SessionModule } from 'nestjs-sessions';
import { AuthModule } from './auth/auth.module.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({ useFactory: database }),
    SessionModule.forRoot({ securityLevel: 'high', transport: 'cookie' }),
    AuthModule,
  ],
  controllers: [AppController],
})
export class AppModule {}
`);
    expect(Object.keys(tree.content)).toEqual([
      'nest-cli.json',
      'package.json',
      'src/app.module.ts',
      'src/auth/auth.controller.ts',
      'src/auth/auth.module.ts',
      'src/auth/auth.spec.ts',
      'src/auth/credentials.ts',
      'src/auth/devices.controller.ts',
      'src/auth/passwords.ts',
      'src/auth/users.service.ts',
      'src/database.ts',
      'src/main.ts',
      MIGRATION,
    ]);
    expect(installs).toBe(1);
  });

  it.each([
    ['sqlite', 'better-sqlite3', "type: 'better-sqlite3'"],
    ['postgres', 'pg', "type: 'postgres'"],
    ['mysql', 'mysql2', "type: 'mysql'"],
  ] as const)('takes the driver of %s, and TypeORM for the version of Nest', (database, driver, type) => {
    for (const nest of [11, 12]) {
      const dependencies = { '@nestjs/common': `^${nest}.0.1` };
      const tree = application({ 'package.json': packageWith({ dependencies }) });
      run(nestAdd({ ...OPTIONS, database }), tree);
      const names = ['@nestjs/common', '@nestjs/typeorm', driver, 'typeorm'].toSorted();
      expect(Object.keys(packageOf(tree)['dependencies'] ?? {})).toEqual(names);
      expect(packageOf(tree)['dependencies']).toMatchObject({ '@nestjs/typeorm': `^${nest}.0.0` });
      expect(tree.readText('src/database.ts')).toContain(type);
    }
  });

  it('changes nothing when it is run again, whatever it is told then', () => {
    const tree = application();
    run(nestAdd(OPTIONS), tree);
    const before = tree.content;
    const again = [
      nestAdd({ database: 'sqlite', transport: 'bearer', securityLevel: 'low' }),
      sessionModule(OPTIONS),
      migration({}),
      auth(OPTIONS),
    ];
    for (const rule of again) expect(run(rule, tree)).toEqual({ warnings: [], installs: 0 });
    expect(tree.content).toEqual(before);
  });

  it('leaves a TypeOrmModule as it is, wherever it is, and says what is left to do', () => {
    const database = `@Module({ imports: [TypeOrmModule.forRootAsync({ useClass: Options })] })
export class DatabaseModule {}`;
    const tree = application({ 'src/database/database.module.ts': database });
    const { warnings, installs } = run(nestAdd(OPTIONS), tree);
    expect(tree.readText('src/database/database.module.ts')).toBe(database);
    expect(tree.exists('src/database.ts')).toBe(false);
    expect(packageOf(tree)['dependencies']).toEqual(PACKAGE.dependencies);
    expect(installs).toBe(0);
    expect(warnings[0]).toContain(`${MIGRATION} in its migrations`);
  });

  it('is not misled by comments', () => {
    const main = '// TypeOrmModule.forRoot(old)\n/* SessionModule.forRoot() */\n';
    const tree = application({ 'src/app.module.ts': main + MODULE });
    run(nestAdd(OPTIONS), tree);
    expect(tree.readText('src/app.module.ts')).toContain('\n    SessionModule.forRoot({');
  });

  it('puts the migration into the folder of migrations that there is', () => {
    const tree = application({ 'src/database/migrations/1-create-users.ts': 'export class CreateUsers1 {}' });
    run(nestAdd(OPTIONS), tree);
    expect(tree.exists('src/database/migrations/1767225600000-create-sessions.ts')).toBe(true);
    expect(tree.readText('src/database.ts')).toContain(
      "from './database/migrations/1767225600000-create-sessions.js'",
    );
  });

  it('writes no migration where a data source lists the class itself', () => {
    const dataSource = `import {
  CreateSessions1767225600000,
} from 'nestjs-sessions/migrations';
`;
    const tree = application({ 'src/data-source.ts': dataSource });
    run(nestAdd(OPTIONS), tree);
    run(migration({}), tree);
    expect(tree.exists(MIGRATION)).toBe(false);
    expect(tree.readText('src/database.ts')).toContain(
      "import { CreateSessions1767225600000 } from 'nestjs-sessions/migrations';",
    );
  });

  it('finds the root module by main.ts, and the application by its folder', () => {
    const tree = application({
      'src/main.ts': null,
      'src/app.module.ts': null,
      'apps/bank/src/main.ts': `import { BankModule } from './bank/bank.module';
const app = NestFactory.create<NestFastifyApplication>(BankModule, new FastifyAdapter());`,
      'apps/bank/src/bank/bank.module.ts': '@Module({})\nexport class BankModule {}\n',
      'package.json': packageWith({ type: undefined }),
    });
    run(nestAdd({ ...OPTIONS, sourceRoot: 'apps/bank/src' }), tree);
    const module = tree.readText('apps/bank/src/bank/bank.module.ts');
    expect(module).toContain("import { database } from '../database';");
    expect(module).toContain("import { AuthModule } from '../auth/auth.module';");
  });

  it('validates credentials where the application has class-validator, and names tests as it does', () => {
    const tree = application({
      'package.json': packageWith({ devDependencies: { 'class-validator': '^0.15.0' } }),
      'nest-cli.json': JSON.stringify({ generateOptions: { specFileSuffix: 'test' } }),
    });
    run(nestAdd(OPTIONS), tree);
    expect(tree.readText('src/auth/credentials.ts')).toContain('@IsString()');
    expect(tree.exists('src/auth/auth.test.ts')).toBe(true);
  });

  it('lets the Jest of Nest 11 load the package', () => {
    const dependencies = { '@nestjs/common': '^11.0.1', jest: '^30.0.0' };
    const jest = { rootDir: 'src', transform: { '^.+\\.(t|j)s$': 'ts-jest' } };
    const tree = application({ 'package.json': packageWith({ dependencies, jest }) });
    run(nestAdd(OPTIONS), tree);
    expect(packageOf(tree)['jest']).toEqual({
      ...jest,
      transformIgnorePatterns: ['/node_modules/(?!(nestjs-sessions|uuid)/)'],
    });
    const own = { transformIgnorePatterns: ['/node_modules/(?!other)'] };
    const told = application({ 'package.json': packageWith({ dependencies, jest: own }) });
    expect(run(nestAdd(OPTIONS), told).warnings.join(' ')).toContain('transformIgnorePatterns');
    expect(packageOf(told)['jest']).toEqual(own);
  });
});

describe('what it writes', () => {
  it('has no password, and lets nobody in until users are looked up', () => {
    const tree = application();
    run(nestAdd(OPTIONS), tree);
    const service = tree.readText('src/auth/users.service.ts');
    expect(service).toMatch(
      /protected find\(_username: string\)[^{]*\{\s*return Promise\.resolve\(null\);\s*\}/,
    );
    const written = Object.entries(tree.content).filter(([path]) => !path.endsWith('.spec.ts'));
    for (const [, text] of written) expect(text).not.toMatch(/password: '|passwordHash: '/);
  });

  it.each(['bearer', 'cookie'] as const)('is as Prettier writes it, with %s', async (transport) => {
    const trees = [application(), application({ 'package.json': packageWith({ type: undefined }) })];
    for (const tree of trees) {
      run(nestAdd({ ...OPTIONS, transport }), tree);
      for (const [path, text] of Object.entries(tree.content).filter(([path]) => path.endsWith('.ts')))
        expect([path, text]).toEqual([path, await asNestDoes(text)]);
    }
  });
});

/** By the settings that the Nest CLI gives an application. */
function asNestDoes(text: string): Promise<string> {
  return format(text, { parser: 'typescript', singleQuote: true, trailingComma: 'all' });
}

describe('what is not understood is refused, and nothing is changed', () => {
  it.each([
    ['no package.json', { 'package.json': null }, 'There is no package.json here.'],
    ['a package.json that is none', { 'package.json': '{' }, 'package.json is no JSON'],
    [
      'another version of Nest',
      { 'package.json': packageWith({ dependencies: { '@nestjs/common': '^10.4.0' } }) },
      'package.json asks for @nestjs/common ^10.4.0.',
    ],
    [
      'no Nest',
      { 'package.json': packageWith({ dependencies: {} }) },
      'package.json asks for @nestjs/common not at all.',
    ],
    ['JavaScript', { 'nest-cli.json': '{"language":"js"}' }, 'The application is in JavaScript.'],
    ['no main.ts', { 'src/main.ts': null }, 'There is no src/main.ts.'],
    [
      'a root module that main.ts does not name',
      { 'src/main.ts': 'await start(AppModule);' },
      'src/main.ts does not say which module is the root.',
    ],
    [
      'imports that come from elsewhere',
      { 'src/app.module.ts': MODULE.replace('imports: []', 'imports: modules()') },
      'The imports of the module in src/app.module.ts are not written out as an array.',
    ],
    [
      'a file where one is to be written',
      { 'src/database.ts': 'export const database = 1;' },
      'There is a file src/database.ts',
    ],
    [
      'an auth module without sessions',
      { 'src/auth/auth.module.ts': 'export class AuthModule {}' },
      'There is a folder src/auth already, without sessions.',
    ],
    [
      'several folders of migrations',
      { 'src/a/migrations/1.ts': '', 'migrations/1.ts': '' },
      'There are several folders of migrations: src/a/migrations, migrations.',
    ],
  ])('%s', (_, changes: Record<string, string | null>, why) => {
    const tree = application(changes);
    const refused = expect(() => run(nestAdd(OPTIONS), tree));
    refused.toThrow(why);
    refused.toThrow(/ Nothing was changed\.$/);
  });
});
