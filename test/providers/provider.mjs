// A provider of OpenID Connect, on a port of its own that it prints: `node provider.mjs <redirect URI…>`. Whoever names
// themselves on its page is who they say; every password is right.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const client = {
    client_id: 'shop',
    client_secret: 'a secret of at least 32 characters',
    redirect_uris: process.argv.slice(2),
  };
  const app = {
    client_id: 'shop-app',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    redirect_uris: ['com.example.shop:/callback'],
  };
  const provider = new Provider(issuer, { clients: [client, app] });
  server.on('request', provider.callback());
  console.log(`provider: ${issuer}`);
});
