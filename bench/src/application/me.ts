import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Req,
  UnauthorizedException,
} from '@nestjs/common';

export interface MeRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  userId?: string;
}

/** The handler behind the guards of the peers. */
@Controller('me')
export class MeController {
  @Get() me(@Req() { userId }: MeRequest) {
    return { userId };
  }
}

/** A guard as tutorials have it: whose request is this? @param find `null` for nobody's */
export function useGuard(
  app: INestApplication,
  find: (request: MeRequest) => Promise<string | null>,
): INestApplication {
  const guard: CanActivate = {
    canActivate: async (context: ExecutionContext) => {
      const request = context.switchToHttp().getRequest<MeRequest>();
      const userId = await find(request);
      if (userId === null) throw new UnauthorizedException();
      request.userId = userId;
      return true;
    },
  };
  return app.useGlobalGuards(guard);
}

export function bearerToken({ headers }: MeRequest): string | null {
  const [type, token] = headers['authorization']?.split(' ') ?? [];
  return type === 'Bearer' && token !== undefined ? token : null;
}
