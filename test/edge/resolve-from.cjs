const { join } = require('node:path');

/**
 * A resolver for Jest. What an install names in its package.json, the library and the suites get from there: with the
 * meaning of `exports`, which a mapped path would not have. Everything else is as ever, from the root.
 */
module.exports = (install) => {
  const { dependencies } = require(join(install, 'package.json'));
  return (request, options) => {
    const isTheirs = Object.hasOwn(dependencies, nameIn(request));
    const isAsked = isTheirs && !options.basedir.includes('/node_modules');
    return options.defaultResolver(request, isAsked ? { ...options, basedir: install } : options);
  };
};

function nameIn(request) {
  return request
    .split('/')
    .slice(0, request.startsWith('@') ? 2 : 1)
    .join('/');
}
