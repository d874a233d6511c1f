import { call, heard } from './api.js';
import { fillAccounts, showArrival } from './accounts.js';
import { Countdown } from './countdown.js';
import { fillDevices } from './devices.js';
import { byId, fromTemplate, onPress, say } from './dom.js';
import { listenToNews } from './news.js';
import { fillSignIn } from './sign-in.js';
import { fillStaff } from './staff.js';

const VIEWS = { accounts: fillAccounts, devices: fillDevices, staff: fillStaff };

const FAREWELLS = {
  session_expired: 'You were signed out, because nothing had happened for a while.',
  session_invalid: 'You are not signed in here any more: your session was ended. Please sign in again.',
  session_required: 'You have signed out in another window.',
};

const main = byId('main');
const countdown = new Countdown(onStatus);
/** Who is signed in. All that the page knows is in memory, and gone with the session. */
let who = null;
let leaveView = () => {};
let stopListening = () => {};
let navigations = 0;

heard.activity = () => countdown.askSoon();
heard.over = (code) => {
  if (who !== null) forget(FAREWELLS[code]);
};

/** Whether somebody is signed in is for the server to say. */
async function start() {
  who = null;
  blank();
  try {
    // Browsers report every 401 as an error: who has never signed in here is not to cause one.
    if (!(await call('GET', '/auth/browser/cookie')).isThere) return forget();
    const { username, session } = await call('GET', '/me');
    enter({ username, session });
  } catch ({ code, message }) {
    const farewell = code === 'session_required' ? '' : (FAREWELLS[code] ?? message);
    forget(farewell);
  }
}

function enter({ username, session: { id, roles } }) {
  who = { username, id, roles };
  byId('username').textContent = username;
  byId('who').hidden = byId('nav').hidden = false;
  byId('staff-link').hidden = !isStaff();
  say('');
  stopListening = listenToNews((arrival) => say(showArrival(arrival)));
  void countdown.start();
  void showView();
}

/** Nothing of theirs is left in the page, nor does the back button bring it. */
function forget(notice = '') {
  who = null;
  blank();
  history.replaceState(null, '', '/');
  const view = fromTemplate('sign-in-view');
  fillSignIn(view, notice, enter);
  place(view, 'Sign in');
  main.querySelector(notice === '' ? 'input' : '.notice').focus();
}

function blank() {
  navigations++;
  leaveView();
  leaveView = () => {};
  stopListening();
  stopListening = () => {};
  countdown.stop();
  byId('step-up').close();
  byId('who').hidden = byId('nav').hidden = true;
  byId('username').textContent = byId('countdown').textContent = '';
  say('');
  main.replaceChildren();
}

async function showView() {
  if (who === null) return;
  const turn = ++navigations;
  const asked = location.hash.slice(1);
  const name = asked in VIEWS ? asked : home();
  const view = fromTemplate(`${name}-view`);
  try {
    const leave = await VIEWS[name](view, who);
    if (turn !== navigations) return leave?.();
    leaveView();
    leaveView = leave ?? (() => {});
    say('');
    for (const link of byId('nav').children) link.ariaCurrent = link.hash === `#${name}` ? 'page' : null;
    place(view, view.querySelector('h1').textContent);
  } catch ({ message }) {
    if (turn === navigations && who !== null) say(message);
  }
}

/** A new view begins at its heading, for the eyes and for screen readers. */
function place(view, title) {
  main.replaceChildren(view);
  document.title = `${title} – Small Bank`;
  main.querySelector('h1').focus();
}

/** Somebody may have changed our roles, or another window may have signed in as somebody else. */
function onStatus({ id, roles }) {
  if (who === null) return;
  if (id !== who.id) return void start();
  const wasStaff = isStaff();
  who.roles = roles;
  byId('staff-link').hidden = !isStaff();
  if (wasStaff && !isStaff() && location.hash === '#staff') location.hash = '#accounts';
}

/** Where one begins: staff have no accounts here. */
function home() {
  return isStaff() ? 'staff' : 'accounts';
}

function isStaff() {
  return who.roles.includes('support') || who.roles.includes('admin');
}

async function signOut() {
  await call('POST', '/auth/sign-out');
  forget('You are signed out.');
}

onPress(byId('sign-out'), signOut);
onPress(byId('leave'), signOut);
const stay = () => call('GET', '/me');
onPress(byId('stay'), stay);
// Whoever presses Escape is there.
byId('leaving').addEventListener('cancel', () => void stay().catch(({ message }) => say(message)));
addEventListener('hashchange', () => void showView());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && who !== null) void countdown.ask();
});
// The browser keeps left pages as they were, and shows them again at the press of the back button: it keeps a blank one.
addEventListener('pagehide', blank);
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) void start();
});

void start();
