import { Get, Res, Sse, UseGuards } from '@nestjs/common';
import { guardsOf, isEventStream, isForReading, kindsOf, takesOverResponse } from '../handler-metadata.js';
import { SessionGuard } from '../session.guard.js';
import { unknownNest } from './nest-enhancers.js';

/** What Nest's own decorators leave behind must be what is looked for. @throws SessionDecoratorError */
export function assertNestMetadata(): void {
  class Sample {
    show(): void {}
    stream(): void {}
  }
  const { prototype } = Sample;
  const [show, stream] = [prototype.show, prototype.stream];
  Get('show')(prototype, 'show', { value: show });
  Res()(prototype, 'show', 0);
  Sse('stream')(prototype, 'stream', { value: stream });
  UseGuards(SessionGuard)(prototype, 'show', { value: show });
  const isKnown =
    kindsOf(show, Sample).includes('route') &&
    isForReading(show) &&
    takesOverResponse(Sample, 'show') &&
    isEventStream(stream) &&
    guardsOf(show)[0] === SessionGuard;
  if (!isKnown) throw unknownNest('what its decorators leave behind');
}
