import { SessionOptionsError } from '../model/errors.js';

/** What somebody gave for an option, and what the option is called in messages: `timeouts.idle`. */
export class Given {
  constructor(
    readonly path: string,
    readonly value: unknown,
  ) {}

  /** Only `undefined` is: `null` is a value. */
  get isLeftOut(): boolean {
    return this.value === undefined;
  }

  refuse(fix: string): SessionOptionsError {
    return new SessionOptionsError(this.path || 'options', this.value, fix);
  }

  /** Of an object all of whose parts have defaults. */
  orEmpty(): Given {
    return new Given(this.path, this.value ?? {});
  }

  part(name: string): Given {
    const { value } = this;
    const part = Object.hasOwn(value as object, name) ? (value as Record<string, unknown>)[name] : undefined;
    return new Given(this.path ? `${this.path}.${name}` : name, part);
  }
}

/** All that there is to one option; what editors show of it is its docstring. */
export interface Option<Value, Others = unknown> {
  /**
   * @param others the options of the same table that stand before it
   * @throws SessionOptionsError
   */
  read(given: Given, others: Others): Value;
  /** What it is where it is left out, as one would write it. None, where that follows from something else. */
  readonly fallback?: unknown;
  /** What it may be, for the table of docs/options.md. */
  readonly values?: string;
  /** Of an object. */
  readonly parts?: AnyTable;
}

export type AnyTable = Readonly<Record<string, Option<unknown, never>>>;

/** A table of all options of an interface: one that is forgotten, or that is none, does not compile. */
export type OptionTable<Options> = { readonly [Name in keyof Options]-?: Option<unknown, never> };

/** What the options of a table come to. */
export type Resolved<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<infer Value, never> ? Value : never;
};

/** What an option needs of others must be in its table: `never` where it is not. */
export type Needs<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Option<unknown, infer Others>
    ? Resolved<Table> extends Others
      ? unknown
      : never
    : unknown;
};

/**
 * Reads an object of options: what is wrong is refused by name.
 *
 * @param refusals why an option is not there, for those that people look for
 * @throws SessionOptionsError
 */
export function readAll<Table extends AnyTable>(
  table: Table & Needs<Table>,
  given: Given,
  refusals: Readonly<Record<string, string>> = {},
): Resolved<Table> {
  const { value } = given;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw given.refuse('pass an object.');
  }
  for (const name of Object.keys(value)) {
    const part = given.part(name);
    if (part.isLeftOut || Object.hasOwn(table, name)) continue;
    const known = Object.keys(table).map((each) => `\`${each}\``);
    const unknown = `there is no such option; there are ${known.join(', ')}.`;
    throw part.refuse(Object.hasOwn(refusals, name) ? (refusals[name] ?? unknown) : unknown);
  }
  const resolved: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    resolved[name] = option.read(given.part(name), resolved as never);
  }
  return resolved as Resolved<Table>;
}
