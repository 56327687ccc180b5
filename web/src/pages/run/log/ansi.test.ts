import { describe, expect, test } from 'vitest'
import { nameOf, parse, plain, readable, settled } from './ansi'

const texts = (line: string): string[] => parse(line).spans.map((s) => s.text)
const shown = (line: string): string => texts(line).join('')

describe('colours', () => {
  test('of the palette, bright and not', () => {
    const { spans, style } = parse('\u001b[31mred\u001b[0m plain \u001b[1;92mgood\u001b[m')
    expect(spans).toEqual([
      { text: 'red', style: { fg: 1 } },
      { text: ' plain ', style: {} },
      { text: 'good', style: { bold: true, fg: 10 } },
    ])
    expect(style).toEqual({})
  })

  test('of their own, with semicolons and with colons', () => {
    const wanted = [{ text: 'x', style: { fg: 'rgb(1 2 3)' } }]
    expect(parse('\u001b[38;2;1;2;3mx').spans).toEqual(wanted)
    expect(parse('\u001b[38:2::1:2:3mx').spans).toEqual(wanted)
    expect(parse('\u001b[48;5;208;4mx').spans).toEqual([{ text: 'x', style: { bg: 'rgb(255 135 0)', underline: true } }])
    expect(parse('\u001b[38;5;250mx').spans).toEqual([{ text: 'x', style: { fg: 'rgb(188 188 188)' } }])
    expect(parse('\u001b[38;5;9mx').spans).toEqual([{ text: 'x', style: { fg: 9 } }])
  })

  test('one attribute ends without the others', () => {
    expect(parse('\u001b[1;4;31ma\u001b[22mb\u001b[39mc').spans.map((s) => s.style)).toEqual([
      { bold: true, underline: true, fg: 1 },
      { underline: true, fg: 1 },
      { underline: true },
    ])
  })

  test('go on in the next line', () => {
    const first = parse('\u001b[33mwarning:')
    expect(parse('and more', first.style).spans).toEqual([{ text: 'and more', style: { fg: 3 } }])
  })

  test('numbers out of range and codes that mean nothing change nothing', () => {
    expect(parse('\u001b[38;2;999;0;0mx').spans).toEqual([{ text: 'x', style: { fg: 'rgb(255 0 0)' } }])
    expect(parse('\u001b[38;9;1mx\u001b[777my').spans.map((s) => s.text).join('')).toBe('xy')
  })

  test('that are too dark are made lighter, others are left', () => {
    expect(readable('rgb(0 0 95)')).not.toBe('rgb(0 0 95)')
    expect(readable('rgb(255 135 0)')).toBe('rgb(255 135 0)')
  })
})

describe('what is hostile', () => {
  test('markup is text', () => {
    expect(texts('<script>alert(1)</script><img src=x onerror=alert(2)>')).toEqual(['<script>alert(1)</script><img src=x onerror=alert(2)>'])
  })

  test('an OSC link loses its address and keeps its text', () => {
    expect(shown('see \u001b]8;;javascript:alert(3)\u001b\\the report\u001b]8;;\u001b\\ now')).toBe('see the report now')
    expect(shown('\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007')).toBe('click')
  })

  test('a title is dropped, and what never ends hides nothing behind it', () => {
    expect(shown('\u001b]0;owned\u0007ready')).toBe('ready')
    expect(shown('\u001b]0;the end of the line')).toBe('0;the end of the line')
    expect(shown('\u001bPq#0;2;0;0;0\u001b\\after')).toBe('after')
  })

  test('moving the cursor and clearing the screen do nothing', () => {
    expect(shown('a\u001b[2J\u001b[H\u001b[1A\u001b[2K\u001b[?25lb\u001b(Bc\u001b7')).toBe('abc')
    expect(shown('breaks off \u001b[31')).toBe('breaks off ')
    expect(shown('breaks off \u001b')).toBe('breaks off ')
  })

  test('a bell, a backspace and their like are seen', () => {
    expect(parse('\u0007').spans).toEqual([{ text: '\u27e8BEL\u27e9', style: {}, sign: true }])
    expect(shown('a\bb\u0000c\u007fd\u009be')).toBe('a\u27e8BS\u27e9b\u27e8NUL\u27e9c\u27e8DEL\u27e9d\u27e8U+009B\u27e9e')
  })

  test('text that is turned round, or has no width, is seen', () => {
    expect(parse('user\u202egnp.exe').spans).toEqual([
      { text: 'user', style: {} },
      { text: '\u27e8U+202E\u27e9', style: {}, sign: true },
      { text: 'gnp.exe', style: {} },
    ])
    for (const char of ['\u200b', '\u200f', '\u2066', '\u2069', '\ufeff', '\u061c', '\u2028', '\u{e0041}']) expect(shown(`a${char}b`)).toBe(`a${nameOf(char)}b`)
  })

  test('Chinese, Arabic and a family of emoji are left alone', () => {
    for (const line of ['\u8ba2\u5355\u540c\u6b65\u5931\u8d25', '\u0645\u0631\u062d\u0628\u0627', '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}']) expect(texts(line)).toEqual([line])
  })

  test('much of it takes no time', () => {
    const began = performance.now()
    parse('\u001b['.repeat(100_000))
    parse('\u001b]8;;'.repeat(100_000))
    parse(`\u001b[${'1;'.repeat(200_000)}m`)
    expect(performance.now() - began).toBeLessThan(10_000)
  }, 30_000)
})

test('a progress bar leaves its last state', () => {
  expect(settled('10%\r50%\r100%')).toBe('100%')
  expect(settled('a line of Windows\r')).toBe('a line of Windows')
})

test('what is searched and copied has no colours', () => {
  expect(plain('\u001b[31mAssertion\u001b[0mError\u0007\r')).toBe('AssertionError\u27e8BEL\u27e9')
})
