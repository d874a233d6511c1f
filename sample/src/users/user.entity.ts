import type { Role } from 'nestjs-sessions';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('users')
export class User {
  @PrimaryGeneratedColumn('uuid')
  id!: string;

  @Column({ unique: true })
  username!: string;

  // Not selected unless asked for by name, so that no answer can contain it by accident.
  @Column({ select: false })
  passwordHash!: string;

  @Column('simple-json')
  roles!: Role[];
}
