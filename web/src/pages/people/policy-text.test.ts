import { describe, expect, it } from 'vitest'
import { at, hasComments, put, read, Unreadable, write } from './policy-text'

const TEXT = `# of production
branches: [main, release/*]
deployers:
  - leads
  - "li.wei"
approvals: { count: 1, from: [leads], hotfix: 0 }
strategy:
  type: canary # at least
  judge: { beta: 5%, ignore: { paths: [/healthz] } }
  limits:
    p99: 2s
`

describe('policy text', () => {
  it('is read as the guide writes it', () => {
    expect(read(TEXT)).toEqual({
      branches: ['main', 'release/*'],
      deployers: ['leads', 'li.wei'],
      approvals: { count: '1', from: ['leads'], hotfix: '0' },
      strategy: { type: 'canary', judge: { beta: '5%', ignore: { paths: ['/healthz'] } }, limits: { p99: '2s' } },
    })
    expect(hasComments(TEXT)).toBe(true)
    expect(read('')).toEqual({})
  })

  it('is the same after it was written', () => {
    const tree = read(TEXT)
    expect(read(write(tree))).toEqual(tree)
    const odd = { branches: ['*', '- x', 'a: b', "it's", 'a, b', '#1', ''], strategy: { judge: {} } }
    expect(read(write(odd))).toEqual(odd)
    expect(hasComments(write(odd))).toBe(false)
  })

  it('keeps a hash that is none of a comment', () => {
    expect(read('branches: ["a # b", c#d]')).toEqual({ branches: ['a # b', 'c#d'] })
    expect(read("branches: ['it''s # x']")).toEqual({ branches: ["it's # x"] })
  })

  it.each(['a: |\n  b', 'a: &x b', 'a: *x', '- a', 'a: [b', 'a: b\na: c', 'a:\n\tb: c', 'a: b: c', 'x'])('refuses %j', (text) => {
    expect(() => read(text)).toThrow(Unreadable)
  })

  it('takes one value without touching others', () => {
    const tree = read(TEXT)
    const more = put(tree, ['strategy', 'limits', 'for'], '30s')
    expect(at(more, ['strategy', 'limits'])).toEqual({ p99: '2s', for: '30s' })
    expect(Object.keys(more)).toEqual(Object.keys(tree))
    expect(put({ approvals: { count: '1' } }, ['approvals', 'count'], undefined)).toEqual({})
  })
})
