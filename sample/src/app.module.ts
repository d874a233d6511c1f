import { appendFile } from 'node:fs/promises';
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionModule } from 'nestjs-sessions';
import { AccountsModule } from './accounts/accounts.module.js';
import { AuthModule } from './auth/auth.module.js';
import { config } from './config.js';
import { DemoData } from './demo-data.js';
import { DevicesModule } from './devices/devices.module.js';
import { PageModule } from './page/page.module.js';
import { StaffModule } from './staff/staff.module.js';
import { UsersModule } from './users/users.module.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'sqlite',
      database: config.database,
      autoLoadEntities: true,
      // Makes the tables. Fine for a sample; a real bank runs migrations.
      synchronize: true,
    }),
    SessionModule.forRoot({
      securityLevel: 'high',
      timeouts: { idle: config.idleTimeout },
      roles: { admin: ['support'], support: ['customer'] },
      audit: (entry) => appendFile(config.auditTrail, `${JSON.stringify(entry)}\n`),
    }),
    UsersModule,
    AuthModule,
    AccountsModule,
    DevicesModule,
    StaffModule,
    PageModule,
  ],
  providers: [DemoData],
})
export class AppModule {}
