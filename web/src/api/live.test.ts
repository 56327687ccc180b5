import { describe, expect, it } from 'vitest'
import { keysOf } from './live'
import type { Event } from './schema'
import { Parser } from './stream'

const said = (...pieces: string[]) => {
  const parser = new Parser()
  return pieces.flatMap((piece) => [...parser.feed(piece)])
}

describe('the stream', () => {
  it('is read in whatever pieces it comes', () => {
    const whole = ': follow\n\nid: 7\ndata: {"a":1}\n\nevent: end\ndata: {}\n\n'
    const expected = [
      { id: '7', kind: 'message', data: '{"a":1}' },
      { id: '7', kind: 'end', data: '{}' },
    ]
    expect(said(whole)).toEqual(expected)
    expect(said(...whole)).toEqual(expected)
  })
  it('joins lines of data and leaves out what is no message', () => {
    expect(said('data: a\ndata:b\nretry: 5\n\n\n: ping\n\n')).toEqual([{ id: undefined, kind: 'message', data: 'a\nb' }])
  })
})

describe('an event', () => {
  const event = (kind: string, subject: string, service?: string): Event =>
    ({ kind, subject, ...(service && { service }) }) as Event
  it('is about the thing, its service and the overview', () => {
    expect(keysOf(event('rollout.wave_started', 'rollout/42', 'shop'))).toEqual([
      ['events'],
      ['rollout', '42'],
      ['service', 'shop'],
      ['overview'],
    ])
  })
  it('is about an area where it is about no service', () => {
    expect(keysOf(event('freeze.set', 'freeze/1'))).toEqual([['events'], ['freezes'], ['overview']])
    expect(keysOf(event('user.joined', 'user/li.wei'))).toEqual([['events'], ['people']])
  })
})
