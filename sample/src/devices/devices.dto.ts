import { IsUUID } from 'class-validator';

export class DeviceParams {
  /** The session's id. It is no secret: it cannot be used in place of the token. */
  @IsUUID()
  id!: string;
}
