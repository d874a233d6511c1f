import { authSpec } from './auth-spec.js';
import { passwords } from './passwords.js';

export interface AuthTemplate {
  readonly transport: 'bearer' | 'cookie';
  /** What relative imports end with. */
  readonly js: '.js' | '';
  readonly specSuffix: string;
  /** Whether the application has class-validator. */
  readonly isValidated: boolean;
}

/** The files of the folder `auth`, by their names. */
export function authFiles(template: AuthTemplate): Readonly<Record<string, string>> {
  const { js, specSuffix, isValidated } = template;
  return {
    'auth.module.ts': authModule(js),
    'auth.controller.ts': authController(js),
    'devices.controller.ts': devicesController,
    'credentials.ts': credentials(isValidated),
    'users.service.ts': usersService(js),
    'passwords.ts': passwords,
    [`auth.${specSuffix}.ts`]: authSpec(template),
  };
}

const authModule = (js: string) => `import { Module } from '@nestjs/common';
import { AuthController } from './auth.controller${js}';
import { DevicesController } from './devices.controller${js}';
import { UsersService } from './users.service${js}';

@Module({
  controllers: [AuthController, DevicesController],
  providers: [UsersService],
})
export class AuthModule {}
`;

const authController = (js: string) => `import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { EndSession, StartSession } from 'nestjs-sessions';
import { Credentials } from './credentials${js}';
import { UsersService } from './users.service${js}';

@Controller('auth')
export class AuthController {
  constructor(private readonly users: UsersService) {}

  /** Whoever this returns is signed in; with \`null\` the answer is a 401. */
  @StartSession()
  @Post('sign-in')
  signIn(@Body() credentials: Credentials) {
    return this.users.verify(credentials);
  }

  /** The session is gone before this runs. */
  @EndSession()
  @Post('sign-out')
  @HttpCode(204)
  signOut(): void {}
}
`;

const devicesController = `import {
  Controller,
  Delete,
  Get,
  HttpCode,
  NotFoundException,
  Param,
} from '@nestjs/common';
import { ActiveSession, CurrentSession, SessionService } from 'nestjs-sessions';

/** Where somebody is signed in. Nobody can see or end the sessions of others. */
@Controller('auth/devices')
export class DevicesController {
  constructor(private readonly sessions: SessionService) {}

  @Get()
  async list(@CurrentSession() current: ActiveSession) {
    const sessions = await this.sessions.list(current.userId);
    return sessions.map(({ id, client, createdAt, lastSeenAt }) => ({
      id,
      name: client.label ?? client.userAgent ?? 'Unknown device',
      signedInAt: createdAt,
      lastSeenAt,
      isCurrent: id === current.id,
    }));
  }

  @Delete(':id')
  @HttpCode(204)
  async end(@CurrentSession('userId') userId: string, @Param('id') id: string) {
    const wasThere = await this.sessions.revoke(id, { userId });
    if (!wasThere) throw new NotFoundException();
  }

  @Delete()
  @HttpCode(204)
  async endOthers(@CurrentSession() current: ActiveSession) {
    await this.sessions.revokeAll(current.userId, { except: current.id });
  }
}
`;

const credentials = (isValidated: boolean) =>
  isValidated
    ? `import { IsString, MaxLength } from 'class-validator';

export class Credentials {
  @IsString()
  @MaxLength(255)
  username!: string;

  @IsString()
  @MaxLength(255)
  password!: string;
}
`
    : `export class Credentials {
  username!: string;
  password!: string;
}
`;

const usersService = (js: string) => `import { Injectable } from '@nestjs/common';
import type { Role, SessionPrincipal } from 'nestjs-sessions';
import type { Credentials } from './credentials${js}';
import { isPassword } from './passwords${js}';

export interface User {
  id: string;
  roles: Role[];
  /** As \`hashPassword\` makes it. */
  passwordHash: string;
}

@Injectable()
export class UsersService {
  /** Whose credentials these are, or \`null\`. */
  async verify(
    credentials?: Partial<Credentials>,
  ): Promise<SessionPrincipal | null> {
    const { username, password } = credentials ?? {};
    if (typeof username !== 'string') return null;
    if (typeof password !== 'string') return null;
    const user = await this.find(username);
    // Also where there is no such user: the time of the answer must not tell who has an account.
    const isRight = await isPassword(password, user?.passwordHash);
    return user && isRight ? { userId: user.id, roles: user.roles } : null;
  }

  /** TODO: look the user up in your database. Until then nobody can sign in. */
  protected find(_username: string): Promise<User | null> {
    return Promise.resolve(null);
  }
}
`;
