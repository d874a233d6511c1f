// The built library, by its public entry: `nestjs-sessions` would be looked for in this folder's own packages.
export * from '../../dist/index.js';
