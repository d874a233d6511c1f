import { SetMetadata } from '@nestjs/common';
import { expect, it } from '@jest/globals';
import { RequireRole } from 'nestjs-sessions';
import { PLATFORMS } from '../support/platforms.js';
import { appsOn } from '../support/test-app.js';

/* Alone in its file: what stands on a type stops the boot of all applications of a process. */

/** What GraphQL leaves behind. The real one is in `test/edge`. */
const ObjectType = () => SetMetadata('graphql:class_type', 'object');

it('decorators on a type of GraphQL, or on a method of it, stop the boot', async () => {
  @ObjectType()
  @RequireRole('admin')
  class Below {}
  @ObjectType()
  class WithMethod {
    @RequireRole('admin') secret(): void {}
  }
  // Jest cannot print an application.
  const boot = start().then(() => 'it has started', String);
  expect(await boot).toContain(`${Below.name}, ${WithMethod.name}`);
});

const [platform] = PLATFORMS;
const start = appsOn(platform!);
