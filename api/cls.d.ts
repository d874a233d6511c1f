import type { ClsPluginBase } from 'nestjs-cls';

import type { ActiveSession, AnonymousSession } from 'nestjs-sessions';

export declare class ClsSession {
  get current(): ActiveSession | AnonymousSession | null;
}

export declare class SessionClsPlugin extends ClsPluginBase {
  constructor();
}
