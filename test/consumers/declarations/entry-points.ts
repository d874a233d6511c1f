// Every declaration that the package has, for the compiler of each consumer to check.
export * as sessions from 'nestjs-sessions';
export * as client from 'nestjs-sessions/client';
export * as migrations from 'nestjs-sessions/migrations';
export * as openapi from 'nestjs-sessions/openapi';
export * as testing from 'nestjs-sessions/testing';
