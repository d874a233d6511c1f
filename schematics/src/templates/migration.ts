export function migrationFile(className: string): string {
  return `/** The tables of sessions. It runs on every database that nestjs-sessions supports. */
export { ${className} } from 'nestjs-sessions/migrations';
`;
}
