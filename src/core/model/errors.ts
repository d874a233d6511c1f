/** An option that cannot be used. Thrown at boot: the message names the option, the value and the fix. */
export class SessionOptionsError extends Error {
  /** Always this, also in minified code. */
  override readonly name = 'SessionOptionsError';

  constructor(
    /** Its name, with the path to it: `timeouts.idle`. */
    readonly option: string,
    /** What was given; of a secret, only of what kind it is. */
    readonly value: unknown,
    /** What to do about it. */
    readonly fix: string,
  ) {
    const isSecret = option === 'secret' || option.startsWith('secret.') || option === 'cluster.directUrl';
    const shown = isSecret ? kindOf(value) : describe(value);
    super(`SessionModule option \`${option}\` is ${shown}: ${fix}`);
    if (isSecret) this.value = shown;
  }
}

/** Decorators that contradict each other, or name a role that does not exist. Thrown at boot. */
export class SessionDecoratorError extends Error {
  /** Always this, also in minified code. */
  override readonly name = 'SessionDecoratorError';
}

/**
 * The data source does not know the session entities, or the database has no table or column for them. Thrown at boot:
 * the message says what to do.
 */
export class SessionSchemaError extends Error {
  /** Always this, also in minified code. */
  override readonly name = 'SessionSchemaError';
}

/** A verb was called with something that it cannot take. */
export class InvalidArgumentError extends Error {
  override readonly name = 'InvalidArgumentError';

  constructor(
    readonly argument: string,
    value: unknown,
    readonly fix: string,
  ) {
    super(`\`${argument}\` is ${describe(value)}: ${fix}`);
  }
}

/** The session that was to be changed does not exist any more, or its token does not work any more. */
export class SessionGoneError extends Error {
  override readonly name = 'SessionGoneError';
}

/** The user has as many sessions as allowed, and `onSessionLimit` is `reject`. */
export class SessionLimitError extends Error {
  override readonly name = 'SessionLimitError';
}

/** While the sign-in was under way, the user's sessions were revoked or the user's roles were changed. */
export class SignInOvertakenError extends Error {
  override readonly name = 'SignInOvertakenError';
}

/** The store did not answer, or not in time. Says nothing about any session. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/**
 * The store is there and refuses what it was given: a duplicate, text that a column cannot hold, a constraint of the
 * application's. Asking again would not help, and it says nothing about the other sessions.
 */
export class StoreRejectedError extends Error {
  /** Always this, also in minified code. */
  override readonly name = 'StoreRejectedError';
}

/** Says of what kind a value is, and nothing of what it holds. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return `[${Array.from(value, kindOf).join(', ')}]`;
  return typeof value === 'string'
    ? `${value.length} characters`
    : `of type ${value === null ? 'null' : typeof value}`;
}

/** Says what a value is without repeating a long, secret or hostile one. */
function describe(value: unknown): string {
  if (typeof value === 'string') {
    return value.length > 60 ? `a string of ${value.length} characters` : JSON.stringify(value);
  }
  if (typeof value === 'object' && value !== null) {
    return Array.isArray(value) ? 'an array' : 'an object';
  }
  return typeof value === 'function' ? 'a function' : String(value);
}
