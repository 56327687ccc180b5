import { expect, test } from 'vitest'
import { edgesOf, pathOf } from './edges'

test('a line leads from each job to those that need it, and none from a whole stage', () => {
  const jobs = [
    { id: 'a', name: 'install', needs: null },
    { id: 'b', name: 'test', needs: ['install', 'install', 'gone'] },
    { id: 'c', name: 'lint', needs: [] },
    { id: 'd', name: 'ship', needs: null },
  ]
  expect(edgesOf(jobs)).toEqual([{ from: 'a', to: 'b' }])
})

test('a line begins and ends at the boxes', () => {
  const box = (left: number, top: number) => ({ left, top, width: 100, height: 40 })
  expect(pathOf(box(0, 0), box(200, 80))).toBe('M100 20C148 20 152 100 200 100')
  expect(pathOf(box(50, 0), box(50, 80))).toBe('M50 20C36 20 36 100 50 100')
})
