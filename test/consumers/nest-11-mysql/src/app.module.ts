import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionModule } from 'nestjs-sessions';
import { AuthController } from './auth.controller';
import { AccountsController, StaffController } from './bank.controllers';
import dataSource from './data-source';

@Module({
  imports: [
    TypeOrmModule.forRoot(dataSource.options),
    SessionModule.forRoot({
      roles: { admin: ['customer'], customer: [], kiosk: { timeouts: { idle: '1s' } } },
    }),
  ],
  controllers: [AuthController, AccountsController, StaffController],
})
export class AppModule {}
