import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { type AuditEntry, toAuditEntry } from '../core/model/audit-entry.js';
import { onOneLine } from './one-line.js';
import { SessionService } from '../session.service.js';
import { SessionCore } from '../core/session-core.js';

/** Writes down what happens to sessions (OWASP ASVS 16.3; Session Management Cheat Sheet, "Logging Sessions Life Cycle"). */
@Injectable()
export class SessionAudit implements OnModuleInit {
  private readonly logger = new Logger('SessionAudit');

  constructor(
    private readonly sessions: SessionService,
    private readonly core: SessionCore,
  ) {}

  onModuleInit(): void {
    const { audit } = this.core.options;
    if (audit === false) return;
    const write = audit
      ? (entry: AuditEntry) => audit(onOneLine(entry))
      : (entry: AuditEntry) => this.log(entry);
    // The node that has done it writes it down: once is enough.
    this.sessions.events.subscribe((event) =>
      event.origin === 'own' ? write(toAuditEntry(event)) : undefined,
    );
  }

  /** Loggers have a field `level` of their own, with names of their own: winston drops an object that says `log` there. */
  private log({ level, ...entry }: AuditEntry): void {
    this.logger[level](onOneLine(entry));
  }
}
