export const byId = (id) => document.getElementById(id);

/** The content of a `<template>`. */
export const fromTemplate = (id) => byId(id).content.cloneNode(true);

/** Tells something without taking the focus; screen readers say it too. */
export function say(text) {
  byId('message').textContent = text;
}

/**
 * What happens when a form is sent. It cannot be sent twice at a time, and what went wrong stands beside its button.
 *
 * @param {HTMLFormElement} form
 * @param {(fields: FormData) => Promise<void>} action
 */
export function onSubmit(form, action) {
  const error = form.querySelector('.error');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void once(form, async () => {
      error.textContent = '';
      await action(new FormData(form)).catch(({ message }) => (error.textContent = message));
    });
  });
}

/** What happens when a button is pressed; what went wrong is told. */
export function onPress(button, action) {
  button.addEventListener(
    'click',
    () => void once(button, () => action().catch(({ message }) => say(message))),
  );
}

async function once(element, action) {
  if (element.ariaBusy === 'true') return;
  element.ariaBusy = 'true';
  await action();
  element.ariaBusy = null;
}
