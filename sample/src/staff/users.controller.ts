import { Controller, Get, Query } from '@nestjs/common';
import { RequireRole } from 'nestjs-sessions';
import { UsersService } from '../users/users.service.js';
import { UserSearch } from './staff.dto.js';

@RequireRole('support')
@Controller('staff/users')
export class StaffUsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  async search(@Query() { name }: UserSearch) {
    const users = await this.users.search(name);
    return users.map(({ username, roles }) => ({ username, roles }));
  }
}
