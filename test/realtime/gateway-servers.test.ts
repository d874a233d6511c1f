import { Logger } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SessionDecoratorError } from 'nestjs-sessions';
import type { Requirement } from '../../src/http/requirement.js';
import { ANYBODY_SIGNED_IN } from '../../src/realtime/entry.js';
import { GatewayServers } from '../../src/realtime/gateway-servers.js';
import type { Gateways } from '../../src/realtime/gateways.js';

/* Servers that are not known here. The known ones are in `test/edge`. */

const [CLOSED] = ANYBODY_SIGNED_IN() as [Requirement];
const OPEN: Requirement = { ...CLOSED, session: 'none' };

function create(asked: readonly Requirement[], server: unknown): GatewayServers {
  const config = new ApplicationConfig();
  const gateways = { all: [Object], askedAt: () => asked } as unknown as Gateways;
  const servers = new GatewayServers(config, gateways, null as never, null as never);
  config.setIoAdapter({ create: () => server } as never);
  config.getIoAdapter().create(0);
  return servers;
}

describe.each([[{ on() {} }], [null]])('a server of a kind that is not known: %p', (server) => {
  let warned: jest.Spied<Logger['warn']>;
  beforeEach(() => {
    warned = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
  });
  afterEach(() => {
    warned.mockRestore();
  });

  it('stops the boot where strangers may not connect', () => {
    expect(() => create([CLOSED, CLOSED], server)).toThrow(SessionDecoratorError);
  });

  it.each([[[CLOSED, OPEN]], [[]]])('is told of where they may, or no gateway is there: %#', (asked) => {
    expect(() => create(asked, server)).not.toThrow();
    expect(warned).toHaveBeenCalledTimes(1);
  });
});
