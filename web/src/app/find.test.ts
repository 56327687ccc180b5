import { expect, test } from 'vitest'
import { fits, toLookFor, wordsOf } from './find'

test('words end at spaces, and between Chinese and other letters', () => {
  expect(wordsOf('  Roll back  shop-eu ')).toEqual(['roll', 'back', 'shop-eu'])
  expect(wordsOf('回滚shop v3')).toEqual(['回滚', 'shop', 'v3'])
  expect(wordsOf('shop回滚')).toEqual(['shop', '回滚'])
  expect(wordsOf('')).toEqual([])
})

test('a command is found by its words and by its other names', () => {
  const command = { label: 'Roll back shop in production', also: 'rollback revert 回滚' }
  for (const text of ['rollback shop', '回滚shop', 'prod shop', '']) expect(fits(command, wordsOf(text)), text).toBe(true)
  for (const text of ['rollback cart', '冻结']) expect(fits(command, wordsOf(text)), text).toBe(false)
})

test('only what is not a verb is looked for, unless nothing else was typed', () => {
  const verbs = ['Roll back revert 回滚', 'Logs 日志']
  expect(toLookFor(wordsOf('rollback cart v3'), ['rollback'])).toBe('cart v3')
  expect(toLookFor(wordsOf('回滚 cart'), verbs)).toBe('cart')
  expect(toLookFor(wordsOf('log'), verbs)).toBe('log')
  expect(toLookFor(wordsOf('ro'), verbs)).toBe('ro')
  expect(toLookFor(wordsOf('re shop'), verbs)).toBe('re shop')
})
