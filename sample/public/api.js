/** What the bank answered instead of what it was asked for. */
class Refusal extends Error {
  /** @param {{ code?: string, message?: string | string[] }} body */
  constructor(status, { code, message }) {
    super([message ?? 'Something went wrong. Please try again.'].flat().join(' '));
    this.status = status;
    this.code = code;
  }
}

const SESSION_OVER = new Set(['session_required', 'session_invalid', 'session_expired']);

/** Who wants to know of what comes back. */
export const heard = {
  /** A request has counted as activity. */
  activity() {},
  /** There is no session any more. */
  over(_code) {},
};

/** The token is in a cookie that the browser sends by itself; no script ever sees it. @throws Refusal */
export async function call(method, path, body) {
  try {
    const content = await send(method, path, body).catch(againIfRenewed(method, path, body));
    heard.activity();
    return content;
  } catch (error) {
    if (SESSION_OVER.has(error.code)) heard.over(error.code);
    throw error;
  }
}

/** For what the page asks by itself: routes that are `@Background()` on the server. @throws Refusal */
export async function callInBackground(path) {
  try {
    return await send('GET', path).catch(againIfRenewed('GET', path));
  } catch (error) {
    if (SESSION_OVER.has(error.code)) heard.over(error.code);
    throw error;
  }
}

async function send(method, path, body) {
  const content = body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(path, { method, cache: 'no-store', ...content }).catch(() => {
    throw new Refusal(0, { message: 'The bank cannot be reached. Check your connection and try again.' });
  });
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, result);
  return result;
}

/** Another window may have got a new token while the request was under way. It was refused, so it may be sent again. */
function againIfRenewed(...request) {
  return (error) => {
    if (error.code === 'session_invalid') return send(...request);
    throw error;
  };
}
