import { ArrayUnique, IsArray, IsIn, IsString, IsUUID, Matches, MaxLength } from 'class-validator';
import type { Role } from 'nestjs-sessions';
import { ROLES } from '../users/roles.js';

export class UserParams {
  @IsString()
  @MaxLength(50)
  username!: string;
}

export class UserSearch {
  /** The beginning of a username. Nothing in it means something to the `LIKE` of a database. */
  @Matches(/^[a-z0-9]{1,50}$/, { message: 'A username has small letters and digits only.' })
  name!: string;
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
