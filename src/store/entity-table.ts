import type { DataSource, EntityMetadata, EntityTarget, ObjectLiteral } from 'typeorm';

/**
 * The names of a table and its columns, escaped, for SQL of our own. They are those of the entity's metadata: a naming
 * strategy, a prefix or an entity of the application may have changed what the library calls them.
 */
export class EntityTable<Row> {
  constructor(
    protected readonly dataSource: DataSource,
    readonly entity: EntityTarget<ObjectLiteral>,
  ) {}

  /** With its schema, where it has one. */
  get name(): string {
    return this.metadata.tablePath
      .split('.')
      .map((part) => this.dataSource.driver.escape(part))
      .join('.');
  }

  column(field: keyof Row & string): string {
    const column = this.metadata.findColumnWithPropertyName(field);
    if (column) return this.dataSource.driver.escape(column.databaseName);
    throw new Error(
      `The entity ${this.metadata.name} has no column \`${field}\`: let it extend BaseSessionEntity.`,
    );
  }

  private get metadata(): EntityMetadata {
    return this.dataSource.getMetadata(this.entity);
  }
}
