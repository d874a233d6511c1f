import { ForbiddenException, Injectable } from '@nestjs/common';
import type { ActiveSession, Role } from 'nestjs-sessions';
import type { User } from '../users/user.entity.js';
import { UsersService } from '../users/users.service.js';

/** Whose sessions somebody of the staff may see and end: support those of customers, administrators everybody's. */
@Injectable()
export class Charges {
  constructor(private readonly users: UsersService) {}

  /** @throws NotFoundException, ForbiddenException */
  async find(username: string, { roles }: ActiveSession): Promise<User> {
    const user = await this.users.find({ username });
    if (mayLookAfter(user, roles)) return user;
    throw new ForbiddenException('Ask an administrator: this is the account of a colleague.');
  }

  async list({ roles }: ActiveSession): Promise<User[]> {
    return (await this.users.all()).filter((user) => mayLookAfter(user, roles));
  }
}

function mayLookAfter(user: User, roles: readonly Role[]): boolean {
  return roles.includes('admin') || user.roles.every((role) => role === 'customer');
}
