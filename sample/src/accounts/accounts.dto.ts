import { IsInt, Matches, Max, Min } from 'class-validator';

const ACCOUNT_NUMBER = /^\d{8}$/;
const isAccountNumber = { message: '$property must be an account number of 8 digits' };

export class AccountParams {
  @Matches(ACCOUNT_NUMBER, isAccountNumber)
  number!: string;
}

export class TransferDto {
  @Matches(ACCOUNT_NUMBER, isAccountNumber)
  from!: string;

  @Matches(ACCOUNT_NUMBER, isAccountNumber)
  to!: string;

  @IsInt()
  @Min(1)
  @Max(1_000_000_00)
  amountInCents!: number;
}
