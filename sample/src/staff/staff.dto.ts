import { ArrayUnique, IsArray, IsIn, IsString, IsUUID, MaxLength } from 'class-validator';
import type { Role } from 'nestjs-sessions';
import { ROLES } from '../users/roles.js';

export class UserParams {
  @IsString()
  @MaxLength(50)
  username!: string;
}

export class UserSessionParams extends UserParams {
  @IsUUID()
  id!: string;
}

export class RolesDto {
  @IsArray()
  @ArrayUnique()
  @IsIn(ROLES, { each: true })
  roles!: Role[];
}
