import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { AdminController } from './admin.controller.js';
import { Charges } from './charges.js';
import { LiveSessionsController } from './live-sessions.controller.js';
import { SupportController } from './support.controller.js';
import { SignedInController } from './signed-in.controller.js';
import { StaffUsersController } from './users.controller.js';

@Module({
  imports: [UsersModule],
  controllers: [
    StaffUsersController,
    SignedInController,
    SupportController,
    LiveSessionsController,
    AdminController,
  ],
  providers: [Charges],
})
export class StaffModule {}
