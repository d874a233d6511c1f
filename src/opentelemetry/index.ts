export { LiveSessionsMetric } from './live-sessions.metric.js';
export { SessionMetrics } from './session-metrics.js';
export { SessionSpanInterceptor } from './session-span.interceptor.js';
