import { expect, it } from '@jest/globals';
import { Few } from '../../src/realtime/few.js';

const [one, two, three] = [{ name: 'one' }, { name: 'two' }, { name: 'three' }];

it('a few are what a set of them would be', () => {
  const [few, all] = [new Few<object>(), new Set<object>()];
  const same = () => {
    expect([...few]).toEqual([...all]);
    expect(few.size).toBe(all.size);
  };
  const add = (member: object) => (few.add(member), all.add(member), same());
  const remove = (member: object) => (expect(few.delete(member)).toBe(all.delete(member)), same());
  same();
  for (const member of [one, one, two, three, one]) add(member);
  for (const member of [one, one, three, two]) remove(member);
  for (const member of [two, one]) add(member);
  for (const member of [two, one, one]) remove(member);
});

it('may lose each member while they are looked through', () => {
  for (const members of [[one], [one, two, three]]) {
    const few = new Few<object>();
    for (const member of members) few.add(member);
    for (const member of few) few.delete(member);
    expect(few.size).toBe(0);
  }
});
