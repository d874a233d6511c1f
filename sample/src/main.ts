import { ValidationPipe } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { config } from './config.js';
import { DEMO_USERS } from './demo-data.js';
import { neverStored, securityHeaders } from './page/security-headers.js';
import { createApp } from './platform.js';

const app = await createApp();

app.use(securityHeaders);
app.use(neverStored);

// What no DTO asks for is refused: nobody can add `roles` to a body and hope that it is stored.
app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true }));

app.useWebSocketAdapter(new WsAdapter(app));

// On SIGTERM the last activity of every session is written before the database is closed.
app.enableShutdownHooks();

// Not reachable from other machines: the passwords of the demo users are known to everybody. Behind a proxy that
// speaks HTTPS, set TRUST_PROXY, so that it knows which requests came over HTTPS.
await app.listen(config.port, '127.0.0.1');

console.log(`The bank is open at ${await app.getUrl()}`);
for (const { username, password, roles } of DEMO_USERS) {
  console.log(`  ${username} (${roles.join(', ')}), password: ${password}`);
}
