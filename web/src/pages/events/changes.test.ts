import { expect, test } from 'vitest'
import { changes, gist, timeOf } from './changes'

test('fields are added, removed, changed or the same, and what differs comes first', () => {
  expect(changes({ state: 'pending', attempt: 1, old: true }, { state: 'running', attempt: 1, exit_code: null })).toEqual([
    { path: 'state', sort: 'changed', before: 'pending', after: 'running' },
    { path: 'old', sort: 'removed', before: true },
    { path: 'exit_code', sort: 'added', after: null },
    { path: 'attempt', sort: 'same', before: 1, after: 1 },
  ])
})

test('what lies within is found by its path', () => {
  expect(changes({ sites: { br: { share: 10 } } }, { sites: { br: { share: 50 } } })).toEqual([
    { path: 'sites.br.share', sort: 'changed', before: 10, after: 50 },
  ])
  expect(changes(null, { roles: [{ role: 'viewer' }], scopes: ['read'] })).toEqual([
    { path: 'roles[0].role', sort: 'added', after: 'viewer' },
    { path: 'scopes', sort: 'added', after: ['read'] },
  ])
})

test('nothing is no change', () => {
  expect(changes(null, null)).toEqual([])
  expect(changes({}, undefined)).toEqual([])
})

test('a sentence in both languages is one field', () => {
  const why = { en: 'slower', zh: '\u66f4\u6162' }
  expect(changes(null, { why })).toEqual([{ path: 'why', sort: 'added', after: why }])
  expect(gist(null, { why }, 'zh')).toBe('\u66f4\u6162')
})

test('the gist says from where to where, and why', () => {
  expect(gist({ state: 'running' }, { state: 'failed', message: 'exit code 2' }, 'en')).toBe('running \u2192 failed \u00b7 exit code 2')
  expect(gist({ phase: 'running' }, { phase: 'failed' }, 'zh', (s) => `<${s}>`)).toBe('<running> \u2192 <failed>')
  expect(gist(null, null, 'en')).toBe('')
  expect(gist(null, { reason: { code: 'TW-ROLL-010', args: { why: { en: 'errors', zh: 'x' } } } }, 'en')).toBe('errors')
})

test('a number is a time where its name says so', () => {
  expect(timeOf('expires_at', 1_796_000_034_441_155)).toBe(1_796_000_034_441.155)
  expect(timeOf('share', 1_796_000_034_441_155)).toBeUndefined()
  expect(timeOf('expires_at', 7)).toBeUndefined()
})
