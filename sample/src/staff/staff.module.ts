import { Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { AdminController } from './admin.controller.js';
import { SupportController } from './support.controller.js';

@Module({ imports: [UsersModule], controllers: [SupportController, AdminController] })
export class StaffModule {}
