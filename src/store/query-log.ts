import { type DataSource, QueryFailedError, type QueryRunner } from 'typeorm';

/**
 * Runs a statement past TypeORM, and tells its logger what TypeORM's runners would tell: the statement, an error, and
 * that it took longer than `maxQueryExecutionTime`.
 * @throws QueryFailedError as they do
 */
export async function withQueryLog<T>(
  { logger, options }: Pick<DataSource, 'logger' | 'options'>,
  runner: QueryRunner,
  sql: string,
  parameters: readonly unknown[],
  run: () => Promise<T>,
): Promise<T> {
  const values = [...parameters];
  const { maxQueryExecutionTime: limit } = options;
  logger.logQuery(sql, values, runner);
  const began = limit ? Date.now() : 0;
  try {
    return await run();
  } catch (error) {
    logger.logQueryError(error as Error, sql, values, runner);
    throw new QueryFailedError(sql, values, error as Error);
  } finally {
    const took = limit ? Date.now() - began : 0;
    if (limit && took > limit) logger.logQuerySlow(took, sql, values, runner);
  }
}
