import { type INestApplication, Inject, Injectable, type Type } from '@nestjs/common';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { BullModule, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import {
  CommandBus,
  CommandHandler,
  CqrsModule,
  EventBus,
  EventsHandler,
  ofType,
  QueryBus,
  QueryHandler,
  Saga,
} from '@nestjs/cqrs';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { HealthIndicatorService, TerminusModule } from '@nestjs/terminus';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RequireRole } from 'nestjs-sessions';
import { map, type Observable } from 'rxjs';
import { DataSource, Entity, EventSubscriber, PrimaryColumn } from 'typeorm';
import { SQLITE_DRIVER } from '../../support/sqlite-driver.js';
import { type EdgeAppOptions, edgeApps } from '../support/edge-apps.js';
import { attempt } from '../support/outcomes.js';
import { noteRuns } from '../support/runs.js';

/* What libraries call by themselves, on what is no request: no guard of Nest runs there. */

const { ran, note } = noteRuns();
const start = edgeApps();

/** The decorator, or none. */
const NONE: MethodDecorator = () => {};

class Paid {}
class Pay {}
class Ask {}

function listener(guarding: MethodDecorator): Type {
  @Injectable()
  class Listener {
    @guarding @OnEvent('paid') paid(): void {
      note('ran');
    }
  }
  return Listener;
}

function worker(guarding: MethodDecorator): Type {
  @Processor('mail')
  class Worker extends WorkerHost {
    @guarding override async process(): Promise<void> {
      note('ran');
    }
  }
  return Worker;
}

function workerListener(guarding: MethodDecorator): Type {
  @Processor('mail')
  class Worker extends WorkerHost {
    override async process(): Promise<void> {}
    @guarding @OnWorkerEvent('completed') completed(): void {
      note('ran');
    }
  }
  return Worker;
}

function commandHandler(guarding: MethodDecorator): Type {
  @CommandHandler(Pay)
  class Handler {
    @guarding async execute(): Promise<void> {
      note('ran');
    }
  }
  return Handler;
}

function queryHandler(guarding: MethodDecorator): Type {
  @QueryHandler(Ask)
  class Handler {
    @guarding async execute(): Promise<void> {
      note('ran');
    }
  }
  return Handler;
}

function eventsHandler(guarding: MethodDecorator): Type {
  @EventsHandler(Paid)
  class Handler {
    @guarding handle(): void {
      note('ran');
    }
  }
  return Handler;
}

function saga(guarding: MethodDecorator): Type {
  @Injectable()
  class Sagas {
    @guarding @Saga() paid(events: Observable<object>): Observable<object> {
      return events.pipe(
        ofType(Paid),
        map(() => (note('ran'), new Pay())),
      );
    }
  }
  return Sagas;
}

function healthIndicator(guarding: MethodDecorator): Type {
  @Injectable()
  class Indicator {
    constructor(private readonly indicators: HealthIndicatorService) {}
    @guarding isHealthy(): object {
      note('ran');
      return this.indicators.check('database').up();
    }
  }
  return Indicator;
}

@Entity()
class Order {
  @PrimaryColumn({ type: 'int' }) id!: number;
}

/** As the page of Nest on databases has it. */
function subscriber(guarding: MethodDecorator): Type {
  @EventSubscriber()
  class Subscriber {
    constructor(@Inject(DataSource) { subscribers }: DataSource) {
      subscribers.push(this);
    }
    @guarding afterInsert(): void {
      note('ran');
    }
  }
  return Subscriber;
}

const DATABASE = TypeOrmModule.forRoot({
  type: SQLITE_DRIVER,
  database: ':memory:',
  entities: [Order],
  synchronize: true,
});

/** In the place of the workers of BullMQ, which need Redis: it takes the jobs from the test. */
class FakeWorker {
  static readonly all: FakeWorker[] = [];
  readonly listeners = new Map<string, () => void>();
  constructor(
    _queue: string,
    readonly process: (job: object) => Promise<unknown>,
  ) {
    FakeWorker.all.push(this);
  }
  on(event: string, listener: () => void): void {
    this.listeners.set(event, listener);
  }
  async close(): Promise<void> {}
}

class FakeQueue {
  readonly opts = {};
  async close(): Promise<void> {}
}

BullModule.queueClass = FakeQueue as never;
BullModule.workerClass = FakeWorker as never;
const queues = BullModule.registerQueue({ name: 'mail', connection: {} });

beforeEach(() => {
  FakeWorker.all.length = 0;
});

interface Library {
  readonly imports: EdgeAppOptions['imports'];
  /** What else the library needs to have. */
  readonly providers?: Type[];
  trigger(app: INestApplication, type: Type<Record<string, () => unknown>>): unknown;
}

describe.each<[string, (guarding: MethodDecorator) => Type, Library]>([
  [
    'a listener of events',
    listener,
    {
      imports: [EventEmitterModule.forRoot()],
      trigger: (app) => app.get(EventEmitter2).emit('paid'),
    },
  ],
  ['a worker of a queue', worker, { imports: [queues], trigger: () => FakeWorker.all[0]!.process({}) }],
  [
    'a listener of a queue',
    workerListener,
    { imports: [queues], trigger: () => FakeWorker.all[0]!.listeners.get('completed')!() },
  ],
  [
    'a handler of commands',
    commandHandler,
    { imports: [CqrsModule.forRoot()], trigger: (app) => app.get(CommandBus).execute(new Pay()) },
  ],
  [
    'a handler of queries',
    queryHandler,
    { imports: [CqrsModule.forRoot()], trigger: (app) => app.get(QueryBus).execute(new Ask()) },
  ],
  [
    'a handler of domain events',
    eventsHandler,
    { imports: [CqrsModule.forRoot()], trigger: (app) => app.get(EventBus).publish(new Paid()) },
  ],
  [
    'a saga',
    saga,
    {
      imports: [CqrsModule.forRoot()],
      providers: [commandHandler(NONE)],
      trigger: (app) => app.get(EventBus).publish(new Paid()),
    },
  ],
  [
    'a health indicator',
    healthIndicator,
    { imports: [TerminusModule], trigger: (app, type) => app.get(type)['isHealthy']!() },
  ],
  [
    'a subscriber of TypeORM',
    subscriber,
    { imports: [DATABASE], trigger: (app) => app.get(DataSource).getRepository(Order).insert({ id: 1 }) },
  ],
])('%s', (_, make, { imports, providers = [], trigger }) => {
  const open = (type: Type) => start({ imports: imports!, providers: [type, ...providers] });

  it('runs without a request', async () => {
    const type = make(NONE);
    const { app } = await open(type);
    await trigger(app, type);
    while (ran.length === 0) await new Promise(setImmediate);
  });

  it('stops the boot with a decorator', async () => {
    const outcome = await attempt(
      () => open(make(RequireRole('admin'))),
      async () => true,
    );
    expect(outcome).toBe('stops the boot');
  });
});
