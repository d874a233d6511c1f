import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Account } from './account.entity.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { NewsController } from './news.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([Account])],
  controllers: [AccountsController, NewsController],
  providers: [AccountsService],
})
export class AccountsModule {}
