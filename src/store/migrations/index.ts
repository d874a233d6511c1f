export { CreateSessions1767225600000 } from './1767225600000-create-sessions.js';
