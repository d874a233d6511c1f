import type { ApplicationConfig } from '@nestjs/core';
import { enhancersOf, pipesOfParameters } from '../handler-metadata.js';
import type { Class } from '../lineage.js';
import { classOf, isClass } from './hosts.js';

/** The classes of what `useGlobalGuards()` and the like were given: made by the application, and in no module. */
export function givenTypes(config: ApplicationConfig): readonly Class[] {
  return typesOf([
    ...config.getGlobalGuards(),
    ...config.getGlobalInterceptors(),
    ...config.getGlobalPipes(),
    ...config.getGlobalFilters(),
  ]);
}

/** The same of what stands as an instance on a class, its methods and their parameters: `@UseGuards(new Gate())`. */
export function standingTypes(type: Class, methods: Iterable<string>): readonly Class[] {
  const standing = [...enhancersOf(type)];
  for (const method of methods) {
    const handler = Reflect.get(type.prototype as object, method) as object;
    standing.push(...enhancersOf(handler), ...pipesOfParameters(type, method));
  }
  return typesOf(standing);
}

/** Those that are given as classes Nest makes itself: they are in a module. */
function typesOf(given: readonly unknown[]): readonly Class[] {
  return given.map(classOf).filter(isClass);
}
