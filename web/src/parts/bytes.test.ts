import { expect, test } from 'vitest'
import { size } from './bytes'

test('sizes are told in steps of a thousand, however large', () => {
  expect([0, 999, 1_000, 3_140_000, 2 ** 62].map(size)).toEqual(['0 B', '999 B', '1 kB', '3.1 MB', '4,611,686 TB'])
})
