import { Controller, Get, Headers, HttpStatus, NotFoundException, Param, Res } from '@nestjs/common';
import { Public } from 'nestjs-sessions';
import { pageFiles } from './page-files.js';

/** What the answers of Express and Fastify have in common. */
interface Answer {
  header(name: string, value: string): unknown;
  status(code: number): unknown;
}

/** The page is open to everybody, and there is nobody's data in it: that comes from the API. */
@Controller()
export class PageController {
  @Public()
  @Get()
  index(@Headers('if-none-match') known: string | undefined, @Res({ passthrough: true }) answer: Answer) {
    return send('index.html', known, answer);
  }

  @Public()
  @Get('page/:name')
  file(
    @Param('name') name: string,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) answer: Answer,
  ) {
    return send(name, known, answer);
  }

  @Public()
  @Get('page/client/:name')
  clientFile(
    @Param('name') name: string,
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) answer: Answer,
  ) {
    return send(`client/${name}`, known, answer);
  }
}

/** @throws NotFoundException */
function send(name: string, known: string | undefined, answer: Answer): string | undefined {
  const file = pageFiles.get(name);
  if (!file) throw new NotFoundException();
  // Browsers may keep it, and ask each time whether it is still the newest.
  answer.header('Cache-Control', 'no-cache');
  answer.header('ETag', file.etag);
  if (known === file.etag) {
    answer.status(HttpStatus.NOT_MODIFIED);
    return undefined;
  }
  answer.header('Content-Type', file.type);
  return file.content;
}
