import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { Role } from 'nestjs-sessions';
import { DataSource } from 'typeorm';
import { Account } from './accounts/account.entity.js';
import { hashPassword } from './users/passwords.js';
import { User } from './users/user.entity.js';

interface DemoUser {
  readonly username: string;
  readonly password: string;
  readonly roles: Role[];
  /** Account numbers, and what is on them in cents. */
  readonly accounts?: Readonly<Record<string, number>>;
}

export const DEMO_USERS: readonly DemoUser[] = [
  {
    username: 'ana',
    password: 'ana-demo-password',
    roles: ['customer'],
    accounts: { '10000001': 250_000, '10000002': 1_000_000 },
  },
  { username: 'ben', password: 'ben-demo-password', roles: ['customer'], accounts: { '10000003': 75_000 } },
  { username: 'sam', password: 'sam-demo-password', roles: ['support'] },
  { username: 'ada', password: 'ada-demo-password', roles: ['admin'] },
];

/** Fills an empty bank. */
@Injectable()
export class DemoData implements OnApplicationBootstrap {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  async onApplicationBootstrap(): Promise<void> {
    const users = this.dataSource.getRepository(User);
    if ((await users.count()) > 0) return;
    for (const { username, password, roles, accounts = {} } of DEMO_USERS) {
      const user = await users.save({ username, roles, passwordHash: await hashPassword(password) });
      for (const [number, balanceInCents] of Object.entries(accounts)) {
        await this.dataSource.getRepository(Account).save({ number, ownerId: user.id, balanceInCents });
      }
    }
  }
}
