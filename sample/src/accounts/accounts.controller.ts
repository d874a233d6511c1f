import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post } from '@nestjs/common';
import { CurrentSession, RequireRecentAuth, RequireRole } from 'nestjs-sessions';
import { config } from '../config.js';
import { AccountParams, TransferDto } from './accounts.dto.js';
import { AccountsService } from './accounts.service.js';

/** Everybody sees their own accounts only: whose they are is said by the session, never by the request. */
@RequireRole('customer')
@Controller('accounts')
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @Get()
  list(@CurrentSession('userId') userId: string) {
    return this.accounts.list(userId);
  }

  @Get(':number')
  show(@CurrentSession('userId') userId: string, @Param() { number }: AccountParams) {
    return this.accounts.find(userId, number);
  }

  /** A telephone left on a table is not enough to send money: the password must have been typed in of late. */
  @RequireRecentAuth(config.transferWithin)
  @Post('transfers')
  @HttpCode(HttpStatus.OK)
  transfer(@CurrentSession('userId') userId: string, @Body() transfer: TransferDto) {
    return this.accounts.transfer(userId, transfer);
  }
}
