const LOCALE = 'en-GB';
const money = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: 'EUR' });
const timeOfDay = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'short' });
const dayAndTime = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' });

export const formatMoney = (cents) => money.format(cents / 100);

/** 10000001 → 1000 0001 */
export const formatAccount = (number) => number.replace(/(?<=^\d{4})/, ' ');

/** '12.50' or '12,5' → 1250; `null` for what is no amount. By text, since 1.15 * 100 is 114.99999999999999. */
export function parseCents(text) {
  const [, euros, cents = ''] = /^(\d{1,7})(?:[.,](\d{1,2}))?$/.exec(text.trim()) ?? [];
  return euros === undefined ? null : Number(euros + cents.padEnd(2, '0'));
}

export function formatTime(text) {
  const time = new Date(text);
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday ? `today at ${timeOfDay.format(time)}` : dayAndTime.format(time);
}

/** What is left: `14 min`, and in the last two minutes `1:05`. */
export function formatLeft(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  if (seconds > 120) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

const BROWSERS = {
  Edg: 'Edge',
  OPR: 'Opera',
  Firefox: 'Firefox',
  FxiOS: 'Firefox',
  Chrome: 'Chrome',
  CriOS: 'Chrome',
  Safari: 'Safari',
};
const SYSTEMS = {
  iPhone: 'iPhone',
  iPad: 'iPad',
  Android: 'Android',
  Windows: 'Windows',
  Mac: 'Mac',
  Linux: 'Linux',
};

/** `Firefox on Windows`: what people recognise of a user agent. */
export function deviceName(userAgent) {
  const found = (names) => names[Object.keys(names).find((key) => userAgent.includes(key))];
  return [found(BROWSERS) ?? 'A browser', found(SYSTEMS)].filter(Boolean).join(' on ');
}
