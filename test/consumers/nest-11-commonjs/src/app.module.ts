import { Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionModule } from 'nestjs-sessions';
import { AuthController } from './auth.controller';
import { AccountsController, StaffController } from './bank.controllers';
import { ClockController } from './clock.controller';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'sqlite',
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
