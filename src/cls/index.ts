export { ClsSession, SessionClsPlugin } from './session-cls.plugin.js';
