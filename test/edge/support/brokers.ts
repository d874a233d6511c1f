import { describe } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';

/** What passes messages on. */
export interface Broker {
  readonly name: string;
  readonly url: URL;
}

export const RABBITMQ: Broker = {
  name: 'RabbitMQ',
  url: new URL(process.env['TEST_RABBITMQ_URL'] ?? 'amqp://127.0.0.1:5672'),
};
export const MOSQUITTO: Broker = {
  name: 'Mosquitto',
  url: new URL(process.env['TEST_MQTT_URL'] ?? 'mqtt://127.0.0.1:1883'),
};
export const REDIS: Broker = {
  name: 'Redis',
  url: new URL(process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379'),
};

/** Runs the suite where the broker is; where it is not it is skipped, loudly, and in CI it fails. */
export async function describeWith({ name, url }: Broker, suite: () => void): Promise<void> {
  const absence = await absenceOf(url);
  if (absence === null) {
    describe(`by ${name}`, suite);
    return;
  }
  const notice = `${name} is not there, so nothing is tested with it: ${absence}`;
  if (process.env['CI']) throw new Error(notice);
  process.stderr.write(`\n*** SKIPPED: ${notice} ***\n\n`);
  describe.skip(`by ${name}`, suite);
}

async function absenceOf({ hostname, port }: URL): Promise<string | null> {
  const socket = connect({ host: hostname, port: Number(port) });
  try {
    await once(socket, 'connect');
    return null;
  } catch (error) {
    return String(error);
  } finally {
    socket.destroy();
  }
}
