import type { Rule } from '@angular-devkit/schematics';
import { addAuth } from './auth.js';
import { projectOf } from './project.js';
import { addSessionModule, type SessionModuleOptions } from './session-module.js';

/** `nest add nestjs-sessions`: all parts. Run again, it changes nothing. */
export function nestAdd(options: SessionModuleOptions): Rule {
  return (tree, context) => {
    const project = projectOf(tree, options);
    addSessionModule(tree, context, project, options);
    addAuth(tree, context, project, options);
    return tree;
  };
}
