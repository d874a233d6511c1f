import type { INestApplicationContext } from '@nestjs/common';

export interface OpenApiComponents {
  components?: {
    schemas?: object;
    securitySchemes?: object;
  };
}

export declare const SESSION_REFUSAL_SCHEMA: {
  readonly type: 'object';
  readonly description: 'Why a request was refused. Programs go by `code`; `message` is for people.';
  readonly required: readonly ['statusCode', 'message', 'error', 'code'];
  readonly properties: {
    readonly statusCode: {
      readonly type: 'integer';
    };
    readonly message: {
      readonly type: 'string';
    };
    readonly error: {
      readonly type: 'string';
    };
    readonly code: {
      readonly type: 'string';
      readonly enum: readonly [...string[], 'invalid_argument'];
    };
  };
};

export declare function withSessions<Config extends OpenApiComponents>(
  app: INestApplicationContext,
  config: Config,
): Config;
