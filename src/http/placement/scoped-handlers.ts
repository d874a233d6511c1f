import { type CanActivate, type ExecutionContext, Injectable, UseGuards } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';
import type { Class } from '../lineage.js';
import { unknownHandler } from '../requirement-registry.js';

/**
 * Where each request has an instance of its own, nobody sees before whether it has put another function in the place of a
 * method, such as a bound one. On that function no guard stands; so one on the class refuses it.
 */
@Injectable()
export class ScopedHandlers {
  constructor(private readonly scanner: MetadataScanner) {}

  /** Lets nothing of a class run but its methods. */
  keepTo(type: Class): void {
    if (kept.has(type)) return;
    kept.add(type);
    const prototype = type.prototype as Record<string, unknown>;
    const methods = new Set(this.scanner.getAllMethodNames(prototype).map((name) => prototype[name]));
    const guard: CanActivate = {
      canActivate(context: ExecutionContext): boolean {
        // A class that extends this one has methods of its own, and has the guard too.
        if (context.getClass() !== type || methods.has(context.getHandler())) return true;
        throw unknownHandler(context);
      },
    };
    UseGuards(guard)(type);
  }
}

/** All applications of a process share the classes. */
const kept = new WeakSet<Class>();
