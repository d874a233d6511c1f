import { IsOptional, IsString, MaxLength } from 'class-validator';

export class SignInDto {
  @IsString()
  @MaxLength(50)
  username!: string;

  /** Bounded, or a password of some megabytes would keep argon2 busy. */
  @IsString()
  @MaxLength(128)
  password!: string;

  /** What the person calls the device, to recognise it in the list of devices. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  device?: string;
}

export class StepUpDto {
  @IsString()
  @MaxLength(128)
  password!: string;
}
