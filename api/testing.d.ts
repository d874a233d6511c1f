import type { INestApplicationContext } from '@nestjs/common';

import type {
  Admission,
  Admitted,
  BatchDone,
  Change,
  ChangeBatch,
  ClientInfo,
  Duration,
  EndedSession,
  Expected,
  ExpectedOwner,
  IssuedSession,
  ReuseJudgement,
  RolesChange,
  SessionBus,
  SessionEvent,
  SessionPage,
  SessionPrincipal,
  SessionRecord,
  SessionStore,
  Touch,
} from 'nestjs-sessions';

export interface BusUnderTest {
  readonly bus: SessionBus;
  readonly second: SessionBus;
  dispose?(): Promise<unknown>;
}

export declare class InMemorySessionStore extends SessionStore {
  findBySeries(seriesHash: string): Promise<SessionRecord | null>;
  findByAnySeries(seriesHashes: readonly string[]): Promise<SessionRecord | null>;
  findById(id: string): Promise<SessionRecord | null>;
  findMany(ids: readonly string[]): Promise<SessionRecord[]>;
  latestChange(): Promise<number>;
  findLive(userId: string, now: number, { limit, before }: SessionPage): Promise<SessionRecord[]>;
  countLive(below: string, now: number): Promise<number>;
  insert(record: SessionRecord, admission: Admission | null): Promise<Admitted>;
  admit(id: string, expected: ExpectedOwner, change: Change, admission: Admission): Promise<Admitted>;
  change(id: string, expected: Expected, change: Change): Promise<boolean>;
  touch(touch: Touch): Promise<void>;
  flush(): Promise<void>;
  mark(userId: string | null): Promise<number>;
  setRoles(userId: string, change: RolesChange, batch: ChangeBatch): Promise<BatchDone<number>>;
  delete(id: string, userId?: string): Promise<SessionRecord | null>;
  deleteExpected(id: string, expected: Expected): Promise<boolean>;
  deleteReused({ id, seriesHash, shownHash, unshown, settledBy }: ReuseJudgement): Promise<boolean>;
  deleteByUser(
    userId: string,
    except: string | null,
    batch: ChangeBatch,
  ): Promise<BatchDone<readonly EndedSession[]>>;
  deleteAll(createdBefore: number | null, batch: ChangeBatch): Promise<BatchDone<number>>;
  purgeExpired(now: number, signal?: AbortSignal): Promise<number>;
}

export type SessionEventOf<Type extends SessionEventType> = Extract<
  SessionEvent,
  {
    readonly type: Type;
  }
>;

export interface SessionEventRecorder {
  readonly events: readonly SessionEvent[];
  of<Type extends SessionEventType>(type: Type): SessionEventOf<Type>[];
  next<Type extends SessionEventType>(type: Type): Promise<SessionEventOf<Type>>;
  stop(): void;
}

export type SessionEventType = SessionEvent['type'];

export interface SignedIn extends IssuedSession {
  readonly bearer: {
    readonly authorization: string;
  };
  readonly cookie: {
    readonly cookie: string;
  };
}

export type SocketUnderTest = WebSocketUnderTest | IoSocketUnderTest;

export interface StoreContractCase {
  readonly name: string;
  run(): Promise<void>;
}

export interface StoreUnderTest {
  readonly store: SessionStore;
  readonly second?: SessionStore;
  dispose?(): Promise<unknown>;
}

export declare class TestClock {
  constructor(start?: Date | number);
  readonly now: () => number;
  advance(by: Duration): void;
  set(to: Date | number): void;
}

export declare function endOf(socket: SocketUnderTest): Promise<string | null>;

export declare function recordSessionEvents(app: Pick<INestApplicationContext, 'get'>): SessionEventRecorder;

export declare function sessionBusContract(create: () => Promise<BusUnderTest>): StoreContractCase[];

export declare function sessionStoreContract(create: () => Promise<StoreUnderTest>): StoreContractCase[];

export declare function signInAs(
  app: Pick<INestApplicationContext, 'get'>,
  principal: SessionPrincipal,
  client?: ClientInfo,
): Promise<SignedIn>;

// Not exported, but named by what is.

interface IoSocketUnderTest {
  on(event: string, listener: (what: never) => void): unknown;
}

interface WebSocketUnderTest {
  readonly readyState: number;
  addEventListener(type: 'close', listener: (end: { readonly reason: string }) => void): unknown;
  addEventListener(type: 'error', listener: () => void): unknown;
  once?(event: never, listener: (...details: never[]) => void): unknown;
}
