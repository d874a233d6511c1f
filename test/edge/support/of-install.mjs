// Hooks for a process of its own: what an install names in its package.json, all but packages themselves get from there.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

let parentURL;
let dependencies;

export function initialize(install) {
  parentURL = pathToFileURL(`${install}/package.json`).href;
  ({ dependencies } = JSON.parse(readFileSync(new URL(parentURL), 'utf8')));
}

export function resolve(specifier, context, next) {
  const [name] = /^(@[^/]+\/)?[^/]+/.exec(specifier) ?? [];
  const isAsked = Object.hasOwn(dependencies, name) && !context.parentURL?.includes('/node_modules/');
  return next(specifier, isAsked ? { ...context, parentURL } : context);
}
