import {
  All,
  Body,
  Controller,
  type DynamicModule,
  Get,
  Module,
  Post,
  Scope,
  type Type,
} from '@nestjs/common';
import {
  AllowAnonymous,
  Public,
  RequireLevel,
  RequireRecentAuth,
  RequireRole,
  type SessionPrincipal,
  SessionService,
  StartSession,
} from 'nestjs-sessions';

/** Nobody thought of protecting it. */
@Controller('forgotten')
export class ForgottenController {
  @Get() list(): string {
    return 'secret';
  }
  @All('any/:thing') any(): string {
    return 'secret';
  }
}

@RequireRole('admin')
@Controller('staff')
export class StaffController {
  @Get() list(): string {
    return 'secret';
  }
  @RequireRole('customer') @Get('loosened') loosened(): string {
    return 'secret';
  }
  @RequireLevel(1) @Get('level') level(): string {
    return 'secret';
  }
  @Public() @Get('help') help(): string {
    return 'help';
  }
  @Get('files/:name') file(): string {
    return 'secret';
  }
}

@Controller('inherited')
export class InheritingController extends StaffController {
  @Get() override list(): string {
    return 'secret';
  }
  @Get('help') override help(): string {
    return 'secret';
  }
  @Get('more') more(): string {
    return 'secret';
  }
}

/** Twice removed, and it says something milder. */
@RequireRole('customer')
@Controller('grandchild')
export class GrandchildController extends InheritingController {
  @RequireRole('customer') @Get('loosened') override loosened(): string {
    return 'secret';
  }
}

@AllowAnonymous()
@Controller('shop')
export class ShopController {
  @Get() browse(): string {
    return 'goods';
  }
  @RequireRole('admin') @Get('prices') prices(): string {
    return 'secret';
  }
}

@RequireRole('admin')
@Controller({ path: 'requested', scope: Scope.REQUEST })
export class RequestScopedController {
  @Get() list(): string {
    return 'secret';
  }
}

@RequireRole('admin')
@Controller({ path: 'versioned', version: '1' })
export class FirstController {
  @Get() list(): string {
    return 'secret';
  }
}
@Controller({ path: 'versioned', version: '2' })
export class SecondController extends FirstController {
  @Get() override list(): string {
    return 'secret';
  }
}

@Controller('reports')
class ReportsController {
  @RequireRole('admin') @Get() list(): string {
    return 'secret';
  }
  @Get('undecorated') undecorated(): string {
    return 'secret';
  }
}

/** A module that knows nothing of sessions, made at run time. */
@Module({})
export class PluginModule {
  static register(controllers: Type[]): DynamicModule {
    return { module: PluginModule, controllers };
  }
}
@Module({ controllers: [ReportsController] })
export class MountedModule {}
@Controller('lazy')
class LazyController {
  @Get() list(): string {
    return 'secret';
  }
}
@Module({ controllers: [LazyController] })
export class LazyModule {}

@Controller('profile')
export class ProfileController {
  constructor(private readonly sessions: SessionService) {}
  @StartSession() @Post('login') login(@Body() { userId, data }: SessionPrincipal): SessionPrincipal {
    return { userId, ...(data && { data }) };
  }
  @Post('data') async keep(@Body() body: { id: string; data: Record<string, string> }): Promise<string> {
    await this.sessions.update(body.id, () => body.data);
    return 'kept';
  }
}

@Controller('vault')
export class VaultController {
  @RequireLevel(2) @RequireRecentAuth('5m') @Get() open(): string {
    return 'secret';
  }
}

/** Says nothing of roles: the method that it overrides did. */
@Controller('reports-of-a-plugin')
export class PluginController extends ReportsController {
  @Get() override list(): string {
    return 'secret';
  }
}
