import { call } from './api.js';
import { byId, onSubmit } from './dom.js';

const dialog = byId('step-up');
const form = dialog.querySelector('form');

/** Does something for which the password may have to be typed in again, and asks for it then. */
export async function confirmed(action) {
  try {
    return await action();
  } catch (error) {
    if (error.code !== 'reauthentication_required') throw error;
  }
  await askForPassword();
  return action();
}

/** @throws Error when the person would rather not */
function askForPassword() {
  form.reset();
  form.querySelector('.error').textContent = '';
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve, reject) => {
    const decide = () => {
      form.reset();
      if (dialog.returnValue === 'confirmed') resolve();
      else reject(new Error('Nothing was done: it was not confirmed.'));
    };
    dialog.addEventListener('close', decide, { once: true });
  });
}

onSubmit(form, async (fields) => {
  try {
    await call('POST', '/auth/step-up', { password: fields.get('password') });
    dialog.close('confirmed');
  } catch (error) {
    form.elements.password.select();
    if (error.code === 'sign_in_failed') throw new Error('That is not your password.', { cause: error });
    throw error;
  }
});

byId('step-up-cancel').addEventListener('click', () => dialog.close());
