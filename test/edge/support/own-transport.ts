import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import { lastValueFrom, type Observable } from 'rxjs';

/** A transport that no package of Nest has: what is received goes to the handlers that Nest has given to it. */
export class OwnTransport extends Server implements CustomTransportStrategy {
  listen(callback: () => void): void {
    callback();
  }
  close(): void {}
  on(): void {}
  unwrap<T>(): T {
    return undefined as T;
  }
  async receive(pattern: string): Promise<unknown> {
    const answer: unknown = await this.getHandlerByPattern(pattern)!({}, {});
    return lastValueFrom(this.transformToObservable(answer) as Observable<unknown>);
  }
}
