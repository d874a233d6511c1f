import { Injectable, NotFoundException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type Role, SignInFailedException } from 'nestjs-sessions';
import { type FindOptionsWhere, Like, Repository } from 'typeorm';
import { hashPassword, isPassword } from './passwords.js';
import { User } from './user.entity.js';

@Injectable()
export class UsersService {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  /** @throws NotFoundException */
  async find(who: { id: string } | { username: string }): Promise<User> {
    const user = await this.users.findOneBy(who);
    if (!user) throw new NotFoundException('There is no such user.');
    return user;
  }

  /** @param name the beginning of a username */
  search(name: string): Promise<User[]> {
    return this.users.find({ where: { username: Like(`${name}%`) }, order: { username: 'ASC' }, take: 10 });
  }

  /** The first hundred, which is more than this bank has. */
  all(): Promise<User[]> {
    return this.users.find({ order: { username: 'ASC' }, take: 100 });
  }

  /**
   * One answer for an unknown user and for a wrong password: it must not tell who has an account.
   * @throws SignInFailedException
   */
  async verify(who: { id: string } | { username: string }, password: string): Promise<User> {
    const user = await this.findWithPassword(who);
    const isVerified = await isPassword(password, user?.passwordHash);
    if (!user || !isVerified) throw new SignInFailedException('Wrong username or password.');
    return user;
  }

  async setPassword(id: string, password: string): Promise<void> {
    await this.users.update({ id }, { passwordHash: await hashPassword(password) });
  }

  async setRoles(id: string, roles: Role[]): Promise<void> {
    await this.users.update({ id }, { roles });
  }

  private findWithPassword(where: FindOptionsWhere<User>): Promise<User | null> {
    return this.users.findOne({
      where,
      select: { id: true, username: true, roles: true, passwordHash: true },
    });
  }
}
