import { Inject, Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { type GatewayPlace, isGateway, kindsOf, placeOf } from '../http/handler-metadata.js';
import type { Class } from '../http/lineage.js';
import { GLOBAL_GUARD, hasGlobalGuardOfTheirs } from '../http/placement/global-guard.js';
import { hostsOf } from '../http/placement/hosts.js';
import { needsSession, type Requirement } from '../http/requirement.js';
import { RequirementRegistry } from '../http/requirement-registry.js';

/** The gateways of the application, and what they ask of whoever connects. */
@Injectable()
export class Gateways {
  readonly all: readonly Class[];
  private readonly isGuarded: boolean;

  constructor(
    modules: ModulesContainer,
    private readonly requirements: RequirementRegistry,
    @Inject(GLOBAL_GUARD) isGlobal: boolean,
  ) {
    // Those that a factory makes Nest does not connect.
    const hosts = [...hostsOf(modules)].filter(
      ({ role, isGiven, type }) => role === 'provider' && isGiven && isGateway(type),
    );
    this.all = [...new Set(hosts.map(({ type }) => type))];
    this.isGuarded = isGlobal || hasGlobalGuardOfTheirs(modules);
  }

  /** What all gateways at one place ask for. */
  askedAt(place: GatewayPlace): readonly Requirement[] {
    return this.all.filter((type) => isSame(placeOf(type), place)).flatMap((type) => this.askedBy(type));
  }

  /** What each of its messages asks for; without any, what the class does. */
  private askedBy(type: Class): readonly Requirement[] {
    const messages: Requirement[] = [];
    for (const [method, requirement] of this.requirements.ofMethods(type)) {
      const handler = Reflect.get(type.prototype as object, method) as object;
      if (kindsOf(handler, type).includes('socket-message')) messages.push(requirement);
    }
    const asked = messages.length > 0 ? messages : [this.requirements.ofClass(type)];
    return asked.map((requirement) => this.asGuarded(requirement));
  }

  /** Without the global guard, what has no decorator is open. */
  private asGuarded(requirement: Requirement): Requirement {
    const isOpen = !this.isGuarded && !requirement.isDeclared && needsSession(requirement);
    return isOpen ? { ...requirement, session: 'none' } : requirement;
  }
}

function isSame(one: GatewayPlace, other: GatewayPlace): boolean {
  const isThere = one.port === other.port && one.path === other.path;
  return isThere && nameOf(one.namespace) === nameOf(other.namespace);
}

/** As Nest writes it; a pattern or a function is itself. */
function nameOf(namespace: unknown): unknown {
  if (typeof namespace !== 'string' || namespace === '') return namespace || '/';
  return namespace.startsWith('/') ? namespace : `/${namespace}`;
}
