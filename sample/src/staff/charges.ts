import { ForbiddenException, Injectable } from '@nestjs/common';
import type { ActiveSession } from 'nestjs-sessions';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';

/** Whose sessions somebody of the staff may see and end: support those of customers, administrators everybody's. */
@Injectable()
export class Charges {
  constructor(private readonly users: UsersService) {}

  /** @throws NotFoundException, ForbiddenException */
  async find(username: string, { roles }: ActiveSession): Promise<User> {
    const user = await this.users.find({ username });
    const isCustomer = user.roles.every((role) => role === 'customer');
    if (isCustomer || roles.includes('admin')) return user;
    throw new ForbiddenException('Ask an administrator: this is the account of a colleague.');
  }
}
