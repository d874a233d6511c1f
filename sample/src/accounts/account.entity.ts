import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The database itself sees to it that no account is ever overdrawn. */
@Entity('accounts')
@Check('"balanceInCents" >= 0')
export class Account {
  @PrimaryColumn()
  number!: string;

  @Index()
  @Column()
  ownerId!: string;

  /** Whole cents: fractions of binary numbers lose money. */
  @Column('integer')
  balanceInCents!: number;
}
