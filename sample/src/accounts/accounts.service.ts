import { BadRequestException, ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Subject } from 'rxjs';
import { In, QueryFailedError, Repository } from 'typeorm';
import { Account } from './account.entity.js';
import type { TransferDto } from './accounts.dto.js';

/** Money has come to an account. */
export interface Arrival extends Account {
  amountInCents: number;
}

@Injectable()
export class AccountsService {
  /** What this process has moved. A bank on several machines would tell it by its message broker. */
  readonly arrivals = new Subject<Arrival>();

  constructor(@InjectRepository(Account) private readonly accounts: Repository<Account>) {}

  list(ownerId: string): Promise<Account[]> {
    return this.accounts.find({ where: { ownerId }, order: { number: 'ASC' } });
  }

  /** @throws NotFoundException also for an account of somebody else: nobody learns that it exists */
  async find(ownerId: string, number: string): Promise<Account> {
    const account = await this.accounts.findOneBy({ ownerId, number });
    if (!account) throw new NotFoundException(`You have no account ${number}.`);
    return account;
  }

  /** @throws BadRequestException, NotFoundException, ConflictException when there is not enough money */
  async transfer(ownerId: string, { from, to, amountInCents }: TransferDto): Promise<Account> {
    if (from === to) throw new BadRequestException('An account cannot send money to itself.');
    await this.find(ownerId, from);
    if (!(await this.accounts.existsBy({ number: to }))) {
      throw new NotFoundException(`There is no account ${to}.`);
    }
    await this.move(from, to, amountInCents);
    const receiver = await this.accounts.findOneByOrFail({ number: to });
    this.arrivals.next({ ...receiver, amountInCents });
    return this.find(ownerId, from);
  }

  /** One statement does both sides or neither, whatever happens at the same time; the table's check does the rest. */
  private async move(from: string, to: string, amountInCents: number): Promise<void> {
    try {
      await this.accounts
        .createQueryBuilder()
        .update()
        .set({
          balanceInCents: () =>
            '"balanceInCents" + CASE "number" WHEN :from THEN -:amountInCents ELSE :amountInCents END',
        })
        .where({ number: In([from, to]) })
        .setParameters({ from, amountInCents })
        .execute();
    } catch (error) {
      if (error instanceof QueryFailedError && /check constraint/i.test(error.message)) {
        throw new ConflictException(`There is not enough money on account ${from}.`, { cause: error });
      }
      throw error;
    }
  }
}
