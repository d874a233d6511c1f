import { expect, it, jest } from '@jest/globals';
import { filter, map } from 'rxjs';
import { SessionEvents } from '../../src/core/events/session-events.js';
import type { SessionEvent } from '../../src/core/model/session-event.js';

const tick = () => new Promise((resolve) => setTimeout(resolve, 20));

it('tells every subscriber, also when others fail in whatever way', async () => {
  const report = jest.fn();
  const { stream, ...rest } = withEvents(report);
  const heard: SessionEvent[] = [];
  stream.subscribe(() => {
    throw new Error('sync');
  });
  stream.subscribe({
    next: () => {
      throw new Error('observer');
    },
  });
  stream.subscribe((() => Promise.reject(new Error('async'))) as never);
  stream.pipe(filter(() => true)).subscribe(() => {
    throw new Error('after a pipe');
  });
  stream
    .pipe(
      map((): never => fail('inside a pipe')),
      map(String),
    )
    .subscribe();
  stream.subscribe((event) => heard.push(event));
  rest.emit();
  rest.emit();
  await tick();
  expect(heard).toHaveLength(2);
  const messages = report.mock.calls.map(([error]) => (error as Error).message);
  expect(new Set(messages)).toEqual(new Set(['sync', 'observer', 'async', 'after a pipe', 'inside a pipe']));
});

it('hands errors inside a pipe to whoever wants them, and keeps the `this` of observers', async () => {
  const report = jest.fn();
  const { stream, emit } = withEvents(report);
  const errors: unknown[] = [];
  stream.pipe(map((): never => fail('mine'))).subscribe({ error: (error) => errors.push(error) });
  const observer = {
    heard: 0,
    next() {
      this.heard++;
    },
  };
  const subscription = stream.subscribe(observer);
  emit();
  subscription.unsubscribe();
  emit();
  await tick();
  expect(errors).toHaveLength(1);
  expect(observer.heard).toBe(1);
  expect(report).not.toHaveBeenCalled();
});

function withEvents(report: (error: unknown) => void) {
  const events = new SessionEvents(Date.now, report);
  return { stream: events.stream, emit: () => events.emit({ type: 'purged', count: 1 }) };
}

function fail(message: string): never {
  throw new Error(message);
}
