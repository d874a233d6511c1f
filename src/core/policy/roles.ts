import { SessionDecoratorError, SessionOptionsError } from '../model/errors.js';

/** Which role includes which: what `roles` says, followed to the end. */
export class RoleHierarchy {
  private readonly closures = new Map<string, ReadonlySet<string>>();

  /** @throws SessionOptionsError when roles include each other in a circle. */
  constructor(
    private readonly includes: ReadonlyMap<string, readonly string[]>,
    private readonly isDeclared: boolean,
  ) {
    for (const role of this.names()) this.closures.set(role, this.close(role, []));
  }

  /** Every role that the option `roles` names. */
  known(): readonly string[] {
    return [...this.closures.keys()];
  }

  /** The role itself and all that it includes. */
  closure(role: string): ReadonlySet<string> {
    return this.closures.get(role) ?? new Set([role]);
  }

  /** Every role that satisfies a requirement of any one of these. */
  satisfying(anyOf: readonly string[]): ReadonlySet<string> {
    const satisfying = new Set<string>(anyOf);
    for (const [role, closure] of this.closures) {
      if (anyOf.some((wanted) => closure.has(wanted))) satisfying.add(role);
    }
    return satisfying;
  }

  /** Those that the option `roles` does not name, if there is that option. */
  unknownAmong(roles: readonly string[]): readonly string[] {
    return this.isDeclared ? roles.filter((role) => !this.closures.has(role)) : [];
  }

  /** @throws SessionDecoratorError for a role that the option `roles` does not name, if there is that option. */
  assertKnown(roles: readonly string[], where: string): void {
    const unknown = this.unknownAmong(roles);
    if (unknown.length > 0) {
      throw new SessionDecoratorError(
        `${where} requires the unknown role ${unknown.map((role) => `'${role}'`).join(', ')}. Known are ` +
          `${this.known()
            .map((role) => `'${role}'`)
            .join(', ')}: mend the name, or add it to the option \`roles\`.`,
      );
    }
  }

  private names(): Set<string> {
    return new Set([...this.includes].flatMap(([role, included]) => [role, ...included]));
  }

  private close(role: string, path: readonly string[]): ReadonlySet<string> {
    if (path.includes(role)) {
      throw new SessionOptionsError(
        `roles.${role}`,
        [...path.slice(path.indexOf(role)), role].join(' → '),
        'roles must not include each other in a circle; take one of these inclusions out.',
      );
    }
    const included = this.includes.get(role) ?? [];
    return new Set([role, ...included.flatMap((next) => [...this.close(next, [...path, role])])]);
  }
}
