import { beforeAll, expect, it, vi } from 'vitest'
import { within } from './back'

beforeAll(() => void vi.stubGlobal('location', new URL('http://console.example/login')))

it('leads nowhere else', () => {
  expect(within('/rollouts/7?tab=a#b')).toBe('/rollouts/7?tab=a#b')
  for (const odd of [undefined, '', '//evil.example/', '/\\evil.example', 'https://evil.example/', 'javascript:alert(1)'])
    expect(within(odd)).toBe('/')
})
