import type { HealthIndicatorResult } from '@nestjs/terminus';

export declare class SessionHealthIndicator {
  isHealthy<const Key extends string = 'sessions'>(key?: Key): Promise<HealthIndicatorResult<Key>>;
}
