export { SESSION_REFUSAL_SCHEMA } from './schemas.js';
export { type OpenApiComponents, withSessions } from './with-sessions.js';
