import { expect, test } from 'vitest'
import { isSecretName } from './secret-name'

test('a secret is called as a variable can be', () => {
  for (const good of ['DB_PASSWORD', '_x', 'a1', 'A'.repeat(64)]) expect(isSecretName(good), good).toBe(true)
  for (const bad of ['', '1A', 'A-B', 'A B', 'A=B', '\u00e4', 'A\n', 'A'.repeat(65)]) expect(isSecretName(bad), bad).toBe(false)
})
