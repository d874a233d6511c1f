import { call } from './api.js';
import { onSubmit } from './dom.js';
import { deviceName } from './format.js';

/** @param {(who: { username: string, session: object }) => void} onSignIn */
export function fillSignIn(view, notice, onSignIn) {
  const form = view.querySelector('form');
  const place = view.querySelector('.notice');
  place.textContent = notice;
  place.hidden = !notice;
  for (const button of view.querySelectorAll('#demo-accounts button')) {
    button.addEventListener('click', () => {
      form.elements.username.value = button.dataset.username;
      form.elements.password.value = `${button.dataset.username}-demo-password`;
      form.querySelector('.primary').focus();
    });
  }
  onSubmit(form, async (fields) => {
    const username = fields.get('username').trim();
    const credentials = {
      username,
      password: fields.get('password'),
      device: fields.get('device').trim() || deviceName(navigator.userAgent),
    };
    try {
      const { session } = await call('POST', '/auth/browser/sign-in', credentials);
      onSignIn({ username, session });
    } catch (error) {
      form.elements.password.value = '';
      form.elements.password.focus();
      throw error;
    }
  });
}
