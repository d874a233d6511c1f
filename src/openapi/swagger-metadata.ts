import { type Class, lineageOf } from '../http/lineage.js';

/** The keys under which @nestjs/swagger keeps what its decorators say. */
const RESPONSES = 'swagger/apiResponse';
const SECURITY = 'swagger/apiSecurity';
const EXTENSION = 'swagger/apiExtension';
/** Where its compiler plugin leaves what it has found out. */
const PLUGIN = '_OPENAPI_METADATA_FACTORY';

type Responses = Readonly<Record<string, object>>;
interface PluginEntry {
  readonly type?: unknown;
}

/** What the application says of a handler itself. */
interface SaidByHand {
  readonly responses: Responses | undefined;
  readonly security: unknown;
  readonly extension: object | undefined;
}

/** As it was before anything was added: a second document, of the same or another application, begins with it too. */
const saidByHand = new WeakMap<object, SaidByHand>();

function readFrom(handler: object): SaidByHand {
  const said = saidByHand.get(handler) ?? {
    responses: Reflect.getMetadata(RESPONSES, handler) as Responses | undefined,
    security: Reflect.getMetadata(SECURITY, handler) as unknown,
    extension: Reflect.getMetadata(EXTENSION, handler) as object | undefined,
  };
  saidByHand.set(handler, said);
  return said;
}

/** Adds answers to those that the application names itself; where it names none, to `usual`. */
export function addResponses(handler: object, added: Responses, usual: Responses): void {
  const { responses = usual } = readFrom(handler);
  Reflect.defineMetadata(RESPONSES, { ...added, ...responses }, handler);
}

/** Says which tokens an operation asks for, unless the application does. */
export function setSecurity(handler: object, security: readonly object[] | undefined): void {
  const { security: theirs, extension } = readFrom(handler);
  if (theirs !== undefined) return;
  Reflect.defineMetadata(SECURITY, security, handler);
  // Swagger leaves an empty list out, and the operation would need what the whole document needs.
  const isOpen = security?.length === 0;
  Reflect.defineMetadata(EXTENSION, isOpen ? { ...extension, security } : extension, handler);
}

/** What Swagger says of an answer where no decorator does: its compiler plugin may know the body. */
export function usualAnswer(type: Class, method: string): object {
  for (const ancestor of lineageOf(type)) {
    const factory: unknown = Object.getOwnPropertyDescriptor(ancestor, PLUGIN)?.value;
    const said = typeof factory === 'function' && (factory() as Record<string, PluginEntry>)[method];
    if (said && 'type' in said)
      return { description: '', type: [said.type].flat()[0], isArray: Array.isArray(said.type) };
  }
  return { description: '' };
}
