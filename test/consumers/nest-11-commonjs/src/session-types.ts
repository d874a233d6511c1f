import 'nestjs-sessions';

declare module 'nestjs-sessions' {
  interface SessionTypes {
    role: 'admin' | 'customer' | 'kiosk';
  }
}
