import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionModule } from 'nestjs-sessions';
import { AuthController } from './auth.controller.js';
import { AccountsController, StaffController } from './bank.controllers.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env['DATABASE_URL'],
      connectTimeoutMS: 5_000,
      autoLoadEntities: true,
      synchronize: true,
    }),
    SessionModule.forRoot({
      roles: { admin: ['customer'], customer: [], kiosk: { timeouts: { idle: '1s' } } },
    }),
  ],
  controllers: [AuthController, AccountsController, StaffController],
})
export class AppModule {}
