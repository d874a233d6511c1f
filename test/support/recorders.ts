import type { LoggerService } from '@nestjs/common';
import type { AuditEntry, SessionEvent } from 'nestjs-sessions';
import type { Logger as SqlLogger } from 'typeorm';

/** Keeps what Nest's loggers say, and the audit trail by itself. */
export class LogRecorder implements LoggerService {
  readonly lines: { readonly level: string; readonly text: string }[] = [];
  readonly audit: { readonly level: string; readonly entry: AuditEntry }[] = [];

  log = (...parts: unknown[]): void => this.add('log', parts);
  error = (...parts: unknown[]): void => this.add('error', parts);
  warn = (...parts: unknown[]): void => this.add('warn', parts);
  debug = (...parts: unknown[]): void => this.add('debug', parts);
  verbose = (...parts: unknown[]): void => this.add('verbose', parts);
  fatal = (...parts: unknown[]): void => this.add('fatal', parts);

  /** The lines of a level, or of all. */
  texts(level?: string): string[] {
    return this.lines.filter((line) => level === undefined || line.level === level).map(({ text }) => text);
  }

  private add(level: string, parts: unknown[]): void {
    if (parts[1] === 'SessionAudit') this.audit.push({ level, entry: parts[0] as AuditEntry });
    else this.lines.push({ level, text: parts.map(toText).join(' ') });
  }
}

/** Keeps the statements that reach the database. */
export class QueryRecorder implements SqlLogger {
  readonly queries: string[] = [];

  logQuery(query: string): void {
    this.queries.push(query);
  }
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

function toText(part: unknown): string {
  return part instanceof Error ? String(part.stack) : String(part);
}

/** Events with one of each session that ended, also where they ended together. */
export function eachByItself(events: readonly SessionEvent[]): readonly SessionEvent[] {
  return events.flatMap((event) =>
    event.type === 'revoked' && event.sessionIds.length > 1
      ? event.sessionIds.map((sessionId) => ({ ...event, sessionId, sessionIds: [sessionId] }))
      : [event],
  );
}
