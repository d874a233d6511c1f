export { SessionMetrics } from './session-metrics.js';
export { SessionSpanInterceptor } from './session-span.interceptor.js';
