// What an application's data-source file for the TypeORM CLI looks like.
import { sessionEntities } from 'nestjs-sessions';
import { CreateSessions1767225600000 } from 'nestjs-sessions/migrations';
import { DataSource } from 'typeorm';

export default new DataSource({
  ...JSON.parse(process.env.TEST_DATABASE),
  entities: [...sessionEntities],
  migrations: [CreateSessions1767225600000],
});
