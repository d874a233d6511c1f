// The built package in an application that uses none of its options, from its start to its end.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionModule } from 'nestjs-sessions';

const database = { type: 'sqlite', database: ':memory:', autoLoadEntities: true, synchronize: true };

class AppModule {}
Module({ imports: [TypeOrmModule.forRoot(database), SessionModule.forRoot()] })(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'fatal'] });
await app.listen(0, '127.0.0.1');
await app.close();
