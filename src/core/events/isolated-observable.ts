import { Observable, type Observer, type Operator, Subscriber, type Subscription } from 'rxjs';

/**
 * RxJS turns the exception of a subscriber into an uncaught one, which ends the process. Here it is reported, and
 * neither the verb that told the event nor another subscriber notices.
 */
export class IsolatedObservable<T> extends Observable<T> {
  constructor(
    private readonly report: (error: unknown) => void,
    upstream: Observable<unknown>,
    operate?: Operator<unknown, T>,
  ) {
    super();
    this.source = upstream as Observable<T>;
    this.operator = operate as Operator<unknown, T>;
  }

  // What `pipe` builds upon: without it the isolation would end at the first operator.
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    return new IsolatedObservable<R>(this.report, this, operator as Operator<unknown, R>);
  }

  override subscribe(
    first?: Partial<Observer<T>> | ((value: T) => void) | null,
    onError?: ((error: unknown) => void) | null,
    onComplete?: (() => void) | null,
  ): Subscription {
    if (first instanceof Subscriber) return super.subscribe(first);
    const { next, error, complete } =
      typeof first === 'object' && first !== null
        ? bind(first)
        : { next: first, error: onError, complete: onComplete };
    return super.subscribe({
      next: (event) => this.isolate(() => next?.(event)),
      error: (reason) => this.isolate(() => (error ?? this.report)(reason)),
      complete: () => this.isolate(() => complete?.()),
    });
  }

  private isolate(call: () => unknown): void {
    try {
      const result = call();
      if (result instanceof Promise) result.catch(this.report);
    } catch (error) {
      this.report(error);
    }
  }
}

function bind<T>(observer: Partial<Observer<T>>): Partial<Observer<T>> {
  return {
    next: (value) => observer.next?.(value),
    ...(observer.error && { error: (reason) => observer.error?.(reason) }),
    complete: () => observer.complete?.(),
  };
}
