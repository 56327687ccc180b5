// What a line of a log says and in which colours. Of the escape sequences only SGR (colours and weight) is kept; every
// other one is dropped, and characters that would not be seen, or that turn text round, are shown by name.

/** A colour of the palette (0 to 15), or one of its own. */
export type Colour = number | string

export interface Style {
  readonly fg?: Colour
  readonly bg?: Colour
  readonly bold?: boolean
  readonly faint?: boolean
  readonly italic?: boolean
  readonly underline?: boolean
  readonly struck?: boolean
  readonly inverse?: boolean
}

export interface Span {
  text: string
  style: Style
  /** Stands for a character that cannot be seen. */
  sign?: boolean
}

export const PLAIN: Style = Object.freeze({})

// In this order: CSI; OSC and its like where they are ended; a CSI that breaks off; the beginning of an OSC that never
// ends, whose text stays to be seen; any other escape.
const ESCAPE =
  /\u001b\[([0-?]*)([ -/]*)([@-~])|\u001b[\]PX^_][^\u0007\u001b\n]*(?:\u0007|\u001b\\)|\u001b\[[0-?]*[ -/]*|\u001b[\]PX^_]|\u001b[ -/]*[0-~]?/g

// C0 but for tab and escape, DEL, C1; marks of direction, what has no width, line and paragraph separators, tags.
const UNSEEN = /[\u0000-\u0008\u000a-\u001a\u001c-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu
const ANY = new RegExp(`\u001b|${UNSEEN.source}`, 'u')

/** Whether a text is more than what it looks like. */
export const isOdd = (text: string): boolean => ANY.test(text)

const C0 = 'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(' ')

/** The name that stands for a character which cannot be seen. */
export function nameOf(char: string): string {
  const code = char.codePointAt(0) ?? 0
  const name = code === 0x7f ? 'DEL' : (C0[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, '0')}`)
  return `\u27e8${name}\u27e9`
}

/** As a terminal would leave it: what a carriage return goes back over is written over. */
export function settled(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  return text.includes('\r') ? text.slice(text.lastIndexOf('\r') + 1) : text
}

/** A settled line in its colours, and the style that the next one begins with. */
export function parse(text: string, start: Style = PLAIN): { spans: Span[]; style: Style } {
  if (!ANY.test(text)) return { spans: text === '' ? [] : [{ text, style: start }], style: start }
  const spans: Span[] = []
  let style = start
  let at = 0
  const put = (piece: string): void => {
    let from = 0
    for (const found of piece.matchAll(UNSEEN)) {
      if (found.index > from) spans.push({ text: piece.slice(from, found.index), style })
      spans.push({ text: nameOf(found[0]), style, sign: true })
      from = found.index + found[0].length
    }
    if (from < piece.length) spans.push({ text: piece.slice(from), style })
  }
  for (const found of text.matchAll(ESCAPE)) {
    put(text.slice(at, found.index))
    at = found.index + found[0].length
    if (found[3] === 'm' && !found[2]) style = painted(style, found[1] ?? '')
  }
  put(text.slice(at))
  return { spans, style }
}

/** What can be read of a line: to be searched, compared and copied. */
export function plain(line: string): string {
  const text = settled(line)
  if (!ANY.test(text)) return text
  return text.replace(ESCAPE, '').replace(UNSEEN, nameOf)
}

/** The style behind a line, where only that is asked for. */
export function styleBehind(line: string, start: Style): Style {
  let style = start
  for (const found of line.matchAll(ESCAPE)) if (found[3] === 'm' && !found[2]) style = painted(style, found[1] ?? '')
  return style
}

const FLAGS: Record<number, keyof Style> = { 1: 'bold', 2: 'faint', 3: 'italic', 4: 'underline', 7: 'inverse', 9: 'struck' }
const UNDONE: Record<number, (keyof Style)[]> = {
  22: ['bold', 'faint'], 23: ['italic'], 24: ['underline'], 27: ['inverse'], 29: ['struck'], 39: ['fg'], 49: ['bg'],
}

function painted(before: Style, parameters: string): Style {
  // `38:2::r:g:b` and `38;2;r;g;b` say the same.
  const codes = parameters.split(/[;:]/).map((word) => (word === '' ? 0 : Number.parseInt(word, 10)))
  let style: { -readonly [K in keyof Style]: Style[K] } = { ...before }
  for (let n = 0; n < codes.length; n++) {
    const code = codes[n] ?? 0
    const flag = FLAGS[code]
    if (code === 0 || Number.isNaN(code)) style = {}
    else if (flag) style = { ...style, [flag]: true }
    else if (code >= 30 && code <= 37) style.fg = code - 30
    else if (code >= 90 && code <= 97) style.fg = code - 82
    else if (code >= 40 && code <= 47) style.bg = code - 40
    else if (code >= 100 && code <= 107) style.bg = code - 92
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(n + 1), parameters.includes(':'))
      n += used
      if (colour !== undefined) style[code === 38 ? 'fg' : 'bg'] = colour
    } else for (const key of UNDONE[code] ?? []) delete style[key]
  }
  return Object.keys(style).length ? style : PLAIN
}

function extended(codes: number[], colons: boolean): [Colour | undefined, number] {
  const byte = (n: number | undefined): number => Math.min(Math.max(n ?? 0, 0), 255) || 0
  if (codes[0] === 5) return [of256(byte(codes[1])), 2]
  if (codes[0] !== 2) return [undefined, 0]
  // With colons there is a colour space, mostly empty, before the three.
  const from = colons && codes.length >= 5 ? 2 : 1
  return [`rgb(${byte(codes[from])} ${byte(codes[from + 1])} ${byte(codes[from + 2])})`, from + 3]
}

const LEVELS = [0, 95, 135, 175, 215, 255]

function of256(n: number): Colour {
  if (n < 16) return n
  if (n >= 232) {
    const grey = 8 + (n - 232) * 10
    return `rgb(${grey} ${grey} ${grey})`
  }
  const [r, g, b] = [Math.floor((n - 16) / 36), Math.floor((n - 16) / 6) % 6, (n - 16) % 6]
  return `rgb(${LEVELS[r]} ${LEVELS[g]} ${LEVELS[b]})`
}

/** A colour of its own, made light enough to be read on the dark ground of a log. */
export function readable(colour: string): string {
  const [r = 0, g = 0, b = 0] = (colour.match(/\d+/g) ?? []).map(Number)
  const light = (v: number): number => (v / 255) ** 2.2
  const luminance = 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b)
  if (luminance >= 0.2) return colour
  const mix = 0.55 * (1 - luminance / 0.2) + 0.1
  const up = (v: number): number => Math.round(v + (255 - v) * mix)
  return `rgb(${up(r)} ${up(g)} ${up(b)})`
}
