import { call } from './api.js';
import { byId, fromTemplate, onSubmit, say } from './dom.js';
import { formatAccount, formatMoney, parseCents } from './format.js';
import { confirmed } from './step-up.js';

export async function fillAccounts(view) {
  const list = view.querySelector('#accounts');
  const form = view.querySelector('form');
  const accounts = await call('GET', '/accounts');
  show(list, accounts);
  list.hidden = accounts.length === 0;
  view.querySelector('.empty').hidden = accounts.length > 0;
  view.querySelector('#transfer').hidden = accounts.length === 0;
  form.elements.from.append(...accounts.map(({ number }) => new Option(formatAccount(number), number)));
  onSubmit(form, async (fields) => {
    const transfer = read(fields);
    await confirmed(() => call('POST', '/accounts/transfers', transfer));
    form.elements.to.value = '';
    form.elements.amount.value = '';
    say(`${formatMoney(transfer.amountInCents)} sent to ${formatAccount(transfer.to)}.`);
    show(list, await call('GET', '/accounts'));
    form.elements.to.focus();
  });
}

/** @returns what happened, in words */
export function showArrival({ number, balanceInCents, amountInCents }) {
  const amount = document.querySelector(`[data-number="${number}"] .amount`);
  if (amount) amount.textContent = formatMoney(balanceInCents);
  return `${formatMoney(amountInCents)} arrived on ${formatAccount(number)}.`;
}

/** @throws Error that says what to mend */
function read(fields) {
  const to = fields.get('to').replaceAll(' ', '');
  const amountInCents = parseCents(fields.get('amount'));
  if (!/^\d{8}$/.test(to)) throw complaint('to', 'An account number has 8 digits.');
  if (!amountInCents) throw complaint('amount', 'Write the amount like this: 12.50');
  return { from: fields.get('from'), to, amountInCents };
}

function complaint(field, message) {
  byId(`transfer-${field}`).focus();
  return new Error(message);
}

function show(list, accounts) {
  const rows = accounts.map(({ number, balanceInCents }) => {
    const row = fromTemplate('account-row');
    row.firstElementChild.dataset.number = number;
    row.querySelector('.number').textContent = formatAccount(number);
    row.querySelector('.amount').textContent = formatMoney(balanceInCents);
    return row;
  });
  list.replaceChildren(...rows);
}
