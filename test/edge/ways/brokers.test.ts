import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  type Type,
  UseFilters,
} from '@nestjs/common';
import { afterEach, expect, it } from '@jest/globals';
import {
  type ClientProxy,
  ClientProxyFactory,
  Ctx,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  MqttRecordBuilder,
  type RmqContext,
  ServerKafka,
  Transport,
} from '@nestjs/microservices';
import { Public, RequireRole } from 'nestjs-sessions';
import { firstValueFrom, type Observable, throwError } from 'rxjs';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Broker, describeWith, MOSQUITTO, RABBITMQ, REDIS } from '../support/brokers.js';
import { type EdgeApp, edgeApps } from '../support/edge-apps.js';
import { noteRuns } from '../support/runs.js';

/* What real brokers bring to a hybrid application, and what becomes of it when it is refused. */

const { ran, note } = noteRuns();
const clients: ClientProxy[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
});
// After what closes clients, so that applications are closed last.
const start = edgeApps();

/** Suites run at the same time with the same broker. */
const OWN = randomUUID();
const [MESSAGE, EVENT, PUBLIC_MESSAGE, PUBLIC_EVENT] = ['message', 'event', 'open', 'happened'].map(
  (name) => `${OWN}-${name}`,
) as [string, string, string, string];

class Openings {
  @Public() @MessagePattern(PUBLIC_MESSAGE) open(): string {
    return 'open';
  }
  @Public() @EventPattern(PUBLIC_EVENT) happened(_message: object): void {
    note('happened');
  }
}

@Controller()
class Undecorated extends Openings {
  @MessagePattern(MESSAGE) message(): string {
    return note('message');
  }
  @EventPattern(EVENT) event(_message: object): void {
    note('event');
  }
}

@Controller()
class Decorated extends Openings {
  @RequireRole('admin') @MessagePattern(MESSAGE) message(): string {
    return note('message');
  }
  @RequireRole('admin') @EventPattern(EVENT) event(_message: object): void {
    note('event');
  }
}

interface Transportation extends Broker {
  optionsFor(queue: string): MicroserviceOptions;
}

const QUEUE = { durable: true, expires: 60_000 };
const rabbitmq = (queue: string, more: object = {}): MicroserviceOptions => ({
  transport: Transport.RMQ,
  options: { urls: [RABBITMQ.url.href], queue, queueOptions: QUEUE, ...more },
});
const mqtt = (more: object = {}): MicroserviceOptions => ({
  transport: Transport.MQTT,
  options: { url: MOSQUITTO.url.href, ...more },
});

const TRANSPORTATIONS: readonly Transportation[] = [
  { ...RABBITMQ, optionsFor: (queue) => rabbitmq(queue) },
  { ...MOSQUITTO, optionsFor: () => mqtt() },
  {
    ...REDIS,
    optionsFor: () => ({
      transport: Transport.REDIS,
      options: { host: REDIS.url.hostname, port: Number(REDIS.url.port) },
    }),
  },
];

/** An application that hears what the broker brings. */
async function hearing(
  controllers: Type[],
  options: MicroserviceOptions,
  { hybrid = {}, globalGuard = true } = {},
): Promise<EdgeApp> {
  return start({
    controllers,
    options: { globalGuard },
    configure: async (app) => {
      app.connectMicroservice(options, hybrid);
      await app.startAllMicroservices();
    },
  });
}

async function clientOf(options: MicroserviceOptions): Promise<ClientProxy> {
  const client = ClientProxyFactory.create(options as object);
  clients.push(client);
  await client.connect();
  return client;
}

/** Until the broker has it. */
const emit = async (client: ClientProxy, event: string, message: unknown = {}): Promise<unknown> =>
  firstValueFrom(client.emit(event, message) as Observable<unknown>, { defaultValue: null });

async function untilRan(...what: string[]): Promise<void> {
  while (ran.length < what.length) await new Promise(setImmediate);
  expect(ran).toEqual(what);
}

for (const broker of TRANSPORTATIONS) {
  await describeWith(broker, () => {
    it.each<[Type, boolean, object]>([
      [Undecorated, true, {}],
      [Undecorated, true, { inheritAppConfig: true }],
      [Decorated, true, {}],
      [Decorated, false, {}],
    ])(
      'a broker brings nothing to what is closed: %p, globalGuard: %p, %p',
      async (type, globalGuard, hybrid) => {
        const options = broker.optionsFor(randomUUID());
        await hearing([type], options, { globalGuard, hybrid });
        const client = await clientOf(options);
        await expect(firstValueFrom(client.send(MESSAGE, {}))).rejects.toBeDefined();
        await emit(client, EVENT);
        expect(await firstValueFrom(client.send(PUBLIC_MESSAGE, {}))).toBe('open');
        await emit(client, PUBLIC_EVENT);
        await untilRan('happened');
      },
    );
  });
}

@Controller()
class Opened {
  @Public() @EventPattern(EVENT) event(_message: object): void {
    note('delivered again');
  }
  @Public() @EventPattern(PUBLIC_EVENT) happened(_message: object): void {
    note('happened');
  }
}

@Catch()
class GivesBack implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): Observable<unknown> {
    const context = host.switchToRpc().getContext<RmqContext>();
    const channel = context.getChannelRef() as { nack(message: object, all: boolean, again: boolean): void };
    channel.nack(context.getMessage(), false, false);
    return throwError(() => error);
  }
}

@Controller()
class Acknowledging {
  @EventPattern(EVENT) event(_message: object): void {
    note('event');
  }
  @Public() @EventPattern(PUBLIC_EVENT) happened(_message: object, @Ctx() given: unknown): void {
    note('happened');
    const context = given as RmqContext;
    (context.getChannelRef() as { ack(message: object): void }).ack(context.getMessage());
  }
}

@UseFilters(new GivesBack())
@Controller()
class GivingBack extends Acknowledging {}

await describeWith(RABBITMQ, () => {
  it('RabbitMQ loses an event that is refused', async () => {
    const options = rabbitmq(randomUUID());
    const client = await clientOf(options);
    const { app } = await hearing([Undecorated], options);
    await emit(client, EVENT);
    await emit(client, PUBLIC_EVENT);
    await untilRan('happened');
    await app.close();
    await hearing([Opened], options);
    await emit(client, PUBLIC_EVENT);
    await untilRan('happened', 'happened');
  });

  it('RabbitMQ with noAck: false gets no acknowledgement, waits with what comes next, and delivers both to another', async () => {
    const queue = randomUUID();
    const client = await clientOf(rabbitmq(queue));
    const { app } = await hearing([Acknowledging], rabbitmq(queue, { noAck: false, prefetchCount: 1 }));
    await emit(client, EVENT);
    await emit(client, PUBLIC_EVENT);
    await pause(300);
    expect(ran).toEqual([]);
    await app.close();
    await hearing([Opened], rabbitmq(queue));
    await untilRan('delivered again', 'happened');
  });

  it('RabbitMQ with noAck: false goes on where an exception filter gives back what is refused', async () => {
    const queue = randomUUID();
    const client = await clientOf(rabbitmq(queue));
    const { app } = await hearing([GivingBack], rabbitmq(queue, { noAck: false, prefetchCount: 1 }));
    await emit(client, EVENT);
    await emit(client, PUBLIC_EVENT);
    await untilRan('happened');
    await app.close();
    await hearing([Opened], rabbitmq(queue));
    await emit(client, PUBLIC_EVENT);
    await untilRan('happened', 'happened');
  });
});

await describeWith(MOSQUITTO, () => {
  it('MQTT gets an acknowledgement of an event that is refused, by QoS 1 too, and loses it', async () => {
    const options = mqtt({
      clientId: randomUUID(),
      protocolVersion: 5,
      clean: false,
      properties: { sessionExpiryInterval: 60 },
      subscribeOptions: { qos: 1 },
    });
    const client = await clientOf(mqtt());
    const { app } = await hearing([Undecorated], options);
    const surely = (): unknown => new MqttRecordBuilder({}).setQoS(1).build();
    await emit(client, EVENT, surely());
    await emit(client, PUBLIC_EVENT, surely());
    await untilRan('happened');
    await app.close();
    await hearing([Opened], options);
    await emit(client, PUBLIC_EVENT, surely());
    await untilRan('happened', 'happened');
  });
});

/** What kafkajs calls for each message that it gets. */
class KafkaWithoutBroker extends ServerKafka {
  override async listen(callback: () => void): Promise<void> {
    callback();
  }
}

it('kafkajs gets an error of an event that is refused, as of all that it is to try again', async () => {
  const strategy = new KafkaWithoutBroker({});
  await start({
    controllers: [Undecorated],
    configure: async (app) => {
      app.connectMicroservice({ strategy });
      await app.startAllMicroservices();
    },
  });
  const eachMessage = strategy.getMessageHandler() as (payload: object) => Promise<unknown>;
  const comes = (topic: string) =>
    eachMessage({ topic, partition: 0, message: { key: null, value: Buffer.from('{}'), headers: {} } });
  await expect(comes(EVENT)).rejects.toBeDefined();
  expect(ran).toEqual([]);
  await comes(PUBLIC_EVENT);
  expect(ran).toEqual(['happened']);
});
