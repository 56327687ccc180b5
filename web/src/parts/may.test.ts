import { expect, test } from 'vitest'
import type { Reach } from '../api/schema'
import { allows } from './may'

const staging: Reach = { actions: ['read', 'deploy', 'revert'], env: 'staging' }
const reader: Reach = { actions: ['read'] }
const shop: Reach = { actions: ['read', 'deploy'], service: 'shop', env: 'production', site: 'br' }

test('who may deploy in staging may not in production', () => {
  const mine = [reader, staging]
  expect(allows(mine, 'deploy')).toBe(true)
  expect(allows(mine, 'deploy', { service: 'shop', env: 'staging' })).toBe(true)
  expect(allows(mine, 'deploy', { service: 'shop', env: 'production' })).toBe(false)
  expect(allows(mine, 'read', { service: 'shop', env: 'production' })).toBe(true)
  expect(allows(mine, 'freeze', { env: 'staging' })).toBe(false)
})

test('what is about all of them is for who is bound to none', () => {
  expect(allows([staging], 'deploy', { service: 'shop', env: '*' })).toBe(false)
  expect(allows([staging], 'deploy', { service: '*', env: 'staging' })).toBe(true)
  expect(allows([shop], 'deploy', { service: 'shop', env: 'production', site: '*' })).toBe(false)
  expect(allows([shop], 'deploy', { service: 'shop', env: 'production', site: 'br' })).toBe(true)
  expect(allows([shop], 'deploy', { service: 'shop' })).toBe(true)
  expect(allows([shop], 'deploy', { service: 'stock' })).toBe(false)
  expect(allows([], 'read')).toBe(false)
})
