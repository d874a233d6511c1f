import type { ModulesContainer } from '@nestjs/core';
import type { Class } from '../lineage.js';

export type NestModule = ModulesContainer extends Map<string, infer Module> ? Module : never;
type Wrapper = NestModule['providers'] extends Map<unknown, infer Value> ? Value : never;

/** A class of the application, where a module has it, and what Nest has made of it. */
export interface Host {
  readonly type: Class;
  readonly module: NestModule;
  /** Nest looks for routes and messages in controllers, for the other handlers in providers, and for none in the rest. */
  readonly role: 'controller' | 'provider' | 'other';
  /** Whether Nest was given the class, and not what makes an instance of it. */
  readonly isGiven: boolean;
  /** For a class of which each request has one of its own: the prototype of these, made without its constructor. */
  readonly instance: object | null;
  /** Whether that instance is the one that is called. Only after boot: Nest would keep an answer from before. */
  isSingleton(): boolean;
}

/** Every class of which Nest has made something: what factories return too, and middleware, guards, interceptors. */
export function* hostsOf(modules: ModulesContainer): Generator<Host> {
  for (const module of modules.values()) {
    for (const wrapper of module.controllers.values()) yield* hostIn(module, wrapper, 'controller');
    for (const wrapper of module.providers.values()) yield* hostIn(module, wrapper, 'provider');
    for (const wrapper of module.injectables.values()) yield* hostIn(module, wrapper, 'other');
    for (const wrapper of module.middlewares.values()) yield* hostIn(module, wrapper, 'other');
  }
}

function* hostIn(module: NestModule, wrapper: Wrapper, role: Host['role']): Generator<Host> {
  const isGiven = !wrapper.isNotMetatype;
  const type = isGiven ? wrapper.metatype : classOf(wrapper.instance);
  if (!isClass(type)) return;
  const instance = isObject(wrapper.instance) ? wrapper.instance : null;
  yield { type, module, role, isGiven, instance, isSingleton: () => wrapper.isDependencyTreeStatic() };
}

/** The class of an instance, by the prototype: reading a property may do something, as of a proxy. */
export function classOf(instance: unknown): unknown {
  const prototype: unknown = isObject(instance) ? Object.getPrototypeOf(instance) : null;
  if (!isObject(prototype) || prototype === Object.prototype) return null;
  return Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export function isClass(metatype: unknown): metatype is Class {
  return typeof metatype === 'function' && isObject(metatype.prototype);
}
