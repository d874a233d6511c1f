import type { MigrationInterface, QueryRunner } from 'typeorm';

export declare class CreateSessions1767225600000 implements MigrationInterface {
  protected readonly sessionTable: string;
  up(runner: QueryRunner): Promise<void>;
  down(runner: QueryRunner): Promise<void>;
}
