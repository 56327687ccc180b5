import { expect, test } from 'vitest'
import { latency } from './amount'

test('latencies below ten milliseconds have a decimal', () => {
  expect([0, 0.02, 0.1, 0.7, 1, 9.94, 12.4, 340, 1_300].map(latency)).toEqual([
    '0 ms', '0.02 ms', '0.1 ms', '0.7 ms', '1 ms', '9.9 ms', '12 ms', '340 ms', '1.3 secs',
  ])
})
