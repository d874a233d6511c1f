import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionModule } from 'nestjs-sessions';
import { AuthController } from './auth.controller.js';
import { AccountsController, StaffController } from './bank.controllers.js';
import { ClockController } from './clock.controller.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'better-sqlite3',
      database: 'bank.sqlite',
      autoLoadEntities: true,
      synchronize: true,
    }),
    SessionModule.forRoot({
      roles: { admin: ['customer'], customer: [], kiosk: { timeouts: { idle: '1s' } } },
      purge: false,
    }),
    ScheduleModule.forRoot(),
  ],
  controllers: [AuthController, AccountsController, StaffController, ClockController],
})
export class AppModule {}
