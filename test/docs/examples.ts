import { basename, join, resolve } from 'node:path';
import ts from 'typescript';
import { type Block, fileNameOf } from './pages.js';

/** What examples that show no imports take for granted, by the module it comes from. */
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  'nestjs-sessions': [
    'ActiveSession',
    'AllowAnonymous',
    'Background',
    'CurrentSession',
    'EndSession',
    'EnsureSession',
    'OptionalSession',
    'Public',
    'RequireLevel',
    'RequireRecentAuth',
    'RequireRole',
    'RequireSession',
    'SessionAnswer',
    'SessionCookie',
    'SessionModule',
    'SessionPrincipal',
    'SessionService',
    'StartSession',
  ],
  '@nestjs/common': [
    'Body',
    'Controller',
    'Delete',
    'Get',
    'HttpCode',
    'Injectable',
    'Module',
    'OnModuleInit',
    'Post',
    'Res',
    'UnauthorizedException',
  ],
  '@nestjs/config': ['ConfigService'],
  '@nestjs/platform-fastify': ['FastifyAdapter'],
  '@nestjs/typeorm': ['TypeOrmModule'],
  'node:fs/promises': ['appendFile'],
};

/** The reader's own things that examples use. */
const DECLARATIONS: Readonly<Record<string, string>> = {
  app: `declare const app: import('@nestjs/platform-express').NestExpressApplication;`,
  sessions: `declare const sessions: import('nestjs-sessions').SessionService;`,
  id: `declare const id: string;`,
  // Of the browser.
  WebSocket: `declare class WebSocket {
    constructor(url: string, protocols: string[]);
    addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void;
    close(): void;
  }`,
  UsersService: `declare abstract class UsersService {
    abstract verify(credentials: Credentials): Promise<{ id: string; roles: string[] } | null>;
    abstract verifyById(userId: string, password: string): Promise<object | null>;
    abstract verifyCode(userId: string, code: string): Promise<boolean>;
    abstract rolesOf(userId: string): Promise<string[]>;
    abstract setRoles(userId: string, roles: string[]): Promise<void>;
  }`,
  Credentials: `declare abstract class Credentials { abstract username: string; abstract password: string }`,
};

/** Packages of others that the pages on moving from them show, as far as they are shown. */
const FOREIGN = `
declare module 'express' {
  import type { IncomingMessage, ServerResponse } from 'node:http';
  export interface Request extends IncomingMessage {
    method: string;
    protocol: string;
    secure: boolean;
    path: string;
    originalUrl: string;
    body: any;
  }
  export interface Response extends ServerResponse {
    readonly req: Request;
    locals: Record<string, unknown>;
    sendStatus(status: number): this;
    cookie(name: string, value: string, options: object): this;
    clearCookie(name: string, options: object): this;
    location(address: string): this;
    redirect(status: number, address: string): void;
  }
  export type NextFunction = () => void;
}
declare module 'express-session' {
  export interface SessionData { userId?: string }
}
declare module '@nestjs/graphql' {
  type Types = () => unknown;
  export const ObjectType: () => ClassDecorator;
  export const Resolver: () => ClassDecorator;
  export const Field: (type?: Types, options?: { nullable?: boolean }) => PropertyDecorator;
  export const Mutation: (type: Types) => MethodDecorator;
  export const Args: (name: string) => ParameterDecorator;
}
declare module '@nestjs/cache-manager' {
  export abstract class CacheInterceptor {
    protected trackBy(context: object): Promise<string | null | undefined> | string | null | undefined;
  }
}
declare module '@nestjs/websockets' {
  export interface OnGatewayConnection { handleConnection(client: never): unknown }
  export interface OnGatewayDisconnect { handleDisconnect(client: never): unknown }
  export const WebSocketGateway: () => ClassDecorator;
  export const WebSocketServer: () => PropertyDecorator;
  export const SubscribeMessage: (name: string) => MethodDecorator;
  export const MessageBody: () => ParameterDecorator;
}
declare module 'socket.io' {
  export interface Room {
    emit(event: string, what: unknown): void;
    fetchSockets(): Promise<object[]>;
  }
  export interface Server extends Room {
    to(room: string): Room;
    in(room: string): Room;
    disconnectSockets(): void;
  }
  export interface Socket { data: any; join(room: string): Promise<void> }
}
declare module 'socket.io-client' {
  interface Options {
    auth?: object | ((callback: (data: object) => void) => void);
    extraHeaders?: Record<string, string>;
    transports?: string[];
  }
  export interface Socket {
    readonly active: boolean;
    connect(): this;
    on(event: string, listener: (...details: never[]) => void): this;
  }
  export const io: (url: string, options: Options) => Socket;
}
declare module 'ws' {
  export class WebSocket {
    constructor(url: string, options: { headers: Record<string, string> });
    readonly readyState: number;
    addEventListener(type: 'close', listener: (end: { reason: string }) => void): void;
    addEventListener(type: 'error', listener: () => void): void;
    once(event: string, listener: (...details: never[]) => void): this;
  }
}
declare module '@nestjs/jwt' {
  export class JwtService {
    sign(payload: object): string;
    verifyAsync(token: string): Promise<{ sub: string }>;
  }
}
`;

/** The module that a block is compiled as: the block, and what it takes for granted. */
function toModule(block: Block): string {
  const known = namesIn(block.code);
  const isUsed = (name: string) => !known.has(name) && new RegExp(`(?<![.\\w'"])${name}\\b`).test(block.code);
  const imports = Object.entries(IMPORTS).flatMap(([module, names]) => {
    const used = names.filter(isUsed);
    return used.length > 0 ? [`import { ${used.join(', ')} } from '${module}';`] : [];
  });
  const declarations = declarationsFor(isUsed, block.code);
  // The block first, so that the lines of mistakes are its own.
  return [block.code, ...imports, ...declarations, 'export {};'].join('\n');
}

function declarationsFor(isUsed: (name: string) => boolean, code: string): string[] {
  const used = Object.keys(DECLARATIONS).filter(isUsed);
  const needsCredentials = used.includes('UsersService') && !namesIn(code).has('Credentials');
  return [...new Set([...used, ...(needsCredentials ? ['Credentials'] : [])])].map(
    (name) => DECLARATIONS[name] ?? '',
  );
}

/** What a block imports or declares itself. */
function namesIn(code: string): ReadonlySet<string> {
  const names = new Set<string>();
  const file = ts.createSourceFile('block.ts', code, ts.ScriptTarget.ES2023, true);
  const visit = (node: ts.Node): void => {
    const isNaming =
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isClassDeclaration(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isInterfaceDeclaration(node);
    if (isNaming && node.name && ts.isIdentifier(node.name)) names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return names;
}

/** Where a block is taken to be: in a folder for each page, so that the blocks of a page can import each other. */
function pathOf(block: Block, parent: string): string {
  const folder = resolve(parent, `${basename(block.page, '.md')}.examples`);
  return join(folder, fileNameOf(block) ?? `line-${block.line}.ts`);
}

/** What TypeScript says against examples, with page and line. */
export function mistakesIn(examples: readonly Block[]): string[] {
  // What augments the package's types would do so for all others.
  const isApart = ({ code }: Block) => code.includes('declare module');
  const groups = [examples.filter((block) => !isApart(block)), examples.filter(isApart)];
  return groups.flatMap((group) => mistakesAmong(group, { parent: 'test/docs', foreign: FOREIGN }));
}

/** The same for pages whose packages of others are installed there. */
export function mistakesWith(install: string, examples: readonly Block[]): string[] {
  return mistakesAmong(examples, { parent: install, foreign: '' });
}

function mistakesAmong(
  examples: readonly Block[],
  { parent, foreign }: { readonly parent: string; readonly foreign: string },
): string[] {
  const blocks = new Map(examples.map((block) => [pathOf(block, parent), block]));
  if (blocks.size < examples.length) return ['Two files of a page have one name.'];
  const files = new Map([...blocks].map(([path, block]) => [path, toModule(block)]));
  files.set(resolve(parent, 'foreign.d.ts'), foreign);
  const program = programOf(files);
  return [...blocks].flatMap(([path, block]) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start = 0 }) => {
        const line = block.line + (file?.getLineAndCharacterOfPosition(start).line ?? 0);
        return `${block.page}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      },
    );
  });
}

/** What is on disk is read once for all programs. */
const onDisk = new Map<string, ts.SourceFile | undefined>();

/** One program for all, of files that are not on disk. */
function programOf(files: ReadonlyMap<string, string>): ts.Program {
  const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, resolve('.'));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile, directoryExists } = host;
  const folders = new Set([...files.keys()].map((path) => resolve(path, '..')));
  host.directoryExists = (path) => folders.has(resolve(path)) || (directoryExists?.(path) ?? true);
  host.fileExists = (path) => files.has(resolve(path)) || fileExists(path);
  host.readFile = (path) => files.get(resolve(path)) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(resolve(path));
    if (text !== undefined) return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023);
    if (!onDisk.has(path)) onDisk.set(path, getSourceFile(path, ...rest));
    return onDisk.get(path);
  };
  const unchecked = { noUnusedLocals: false, noUnusedParameters: false };
  return ts.createProgram([...files.keys()], { ...options, ...unchecked }, host);
}
