import type { LoggerService } from '@nestjs/common';
import type { Logger as SqlLogger } from 'typeorm';

/** Keeps what Nest's loggers say. */
export class LogRecorder implements LoggerService {
  readonly lines: { readonly level: string; readonly text: string }[] = [];

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
    const text = parts.map((part) => (part instanceof Error ? String(part.stack) : String(part))).join(' ');
    this.lines.push({ level, text });
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
