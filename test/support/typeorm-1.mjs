// Lets a process of its own find TypeORM where the suites on 1.x have it: `node --import ./test/support/typeorm-1.mjs`.
import { register } from 'node:module';

const hooks = `
  const parentURL = ${JSON.stringify(new URL('../typeorm-1/package.json', import.meta.url).href)};
  export const resolve = (specifier, context, next) =>
    next(specifier, specifier === 'typeorm' ? { ...context, parentURL } : context);
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
