import 'nestjs-sessions';

declare module 'nestjs-sessions' {
  interface SessionTypes {
    role: 'admin' | 'support' | 'customer';
    data: { locale?: string };
  }
}
