import { IsString, Length, MaxLength } from 'class-validator';

export class ChangePasswordDto {
  @IsString()
  @MaxLength(128)
  oldPassword!: string;

  /** Length is what counts; rules about digits and signs only make people write passwords down (NIST SP 800-63B). */
  @IsString()
  @Length(15, 128)
  newPassword!: string;
}
