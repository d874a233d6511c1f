import { Controller, Get } from '@nestjs/common';
import { Cron } from '@nestjs/schedule';
import { Public } from 'nestjs-sessions';

/** A job of the application's own, every second. */
@Controller('clock')
export class ClockController {
  private readonly ticks: number[] = [];

  @Cron('* * * * * *')
  tick(): void {
    this.ticks.push(Math.floor(Date.now() / 1000));
  }

  @Public()
  @Get()
  read(): number[] {
    return this.ticks;
  }
}
