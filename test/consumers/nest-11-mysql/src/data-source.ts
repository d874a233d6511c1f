import 'reflect-metadata';
import { sessionEntities } from 'nestjs-sessions';
import { CreateSessions1767225600000 } from 'nestjs-sessions/migrations';
import { DataSource } from 'typeorm';

/** For the application, and for TypeORM's CLI. */
export default new DataSource({
  type: 'mysql',
  url: process.env['DATABASE_URL'],
  entities: [...sessionEntities],
  migrations: [CreateSessions1767225600000],
});
