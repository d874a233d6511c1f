import type { INestApplicationContext } from '@nestjs/common';

export interface OpenApiComponents {
  components?: {
    schemas?: object;
    securitySchemes?: object;
  };
}

export declare const SESSION_REFUSAL_SCHEMA: {
  type: 'object';
  description: string;
  required: string[];
  properties: {
    statusCode: {
      type: 'integer';
    };
    message: {
      type: 'string';
    };
    error: {
      type: 'string';
    };
    code: {
      enum: string[];
      type: 'string';
    };
  };
};

export declare function withSessions<Config extends OpenApiComponents>(
  app: INestApplicationContext,
  config: Config,
): Config;
