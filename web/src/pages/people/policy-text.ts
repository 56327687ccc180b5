// A policy's text as a tree and back: the part of YAML that policies are written in. What is not understood is refused,
// and then the text is edited as it is. A scalar stays the text it was: only the server judges values.
export type Tree = string | Tree[] | { [key: string]: Tree }

export class Unreadable extends Error {
  readonly line: number
  constructor(line: number) {
    super(`line ${line}`)
    this.line = line
  }
}

interface Line {
  number: number
  indent: number
  text: string
}

/** Without a comment; a `#` within quotes is none. */
function bare(line: string): string {
  let quote = ''
  for (let i = 0; i < line.length; i++) {
    const c = line[i] ?? ''
    if (quote) {
      if ((c === '\\' && quote === '"') || (c === "'" && quote === "'" && line[i + 1] === "'")) i++
      else if (c === quote) quote = ''
    } else if ((c === '"' || c === "'") && /(^|[\s[{,:-])$/.test(line.slice(0, i))) quote = c
    else if (c === '#' && (i === 0 || /\s/.test(line[i - 1] ?? ''))) return line.slice(0, i).trimEnd()
  }
  return line.trimEnd()
}

const linesOf = (text: string): Line[] =>
  text
    .split(/\r?\n/)
    .map((whole, i) => {
      if (/^\s*\t/.test(whole)) throw new Unreadable(i + 1)
      const line = bare(whole)
      return { number: i + 1, indent: line.length - line.trimStart().length, text: line.trimStart() }
    })
    .filter(({ text: t }) => t !== '' && t !== '---')

const KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[\w.-]+)\s*:(?:\s+(.*)|)$/

function unquote(text: string, number: number): string {
  if (text.startsWith('"')) {
    try {
      return String(JSON.parse(text))
    } catch {
      throw new Unreadable(number)
    }
  }
  if (text.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(text)) throw new Unreadable(number)
    return text.slice(1, -1).replaceAll("''", "'")
  }
  return text
}

/** `[a, b]`, `{ a: b }` or a scalar. */
function inline(text: string, number: number): Tree {
  let at = 0
  const fault = (): never => {
    throw new Unreadable(number)
  }
  const space = (): void => {
    while (text[at] === ' ') at++
  }
  const scalar = (ends: RegExp): string => {
    space()
    const first = text[at]
    if (first === '"' || first === "'") {
      const quoted = (first === '"' ? /^"(?:[^"\\]|\\.)*"/ : /^'(?:[^']|'')*'/).exec(text.slice(at))?.[0] ?? fault()
      at += quoted.length
      return unquote(quoted, number)
    }
    const begin = at
    while (at < text.length && !ends.test(text.slice(at, at + 2))) at++
    const found = text.slice(begin, at).trim()
    if (/^[&*!|>%@`]/.test(found)) fault()
    return found
  }
  const value = (): Tree => {
    space()
    if (text[at] === '[') {
      const list: Tree[] = []
      at++
      for (space(); text[at] !== ']'; space()) {
        if (at >= text.length) fault()
        list.push(value())
        space()
        if (text[at] === ',') at++
        else if (text[at] !== ']') fault()
      }
      at++
      return list
    }
    if (text[at] === '{') {
      const map: { [key: string]: Tree } = {}
      at++
      for (space(); text[at] !== '}'; space()) {
        if (at >= text.length) fault()
        const key = scalar(/^[:,{}[\]]/)
        space()
        if (text[at] !== ':' || key === '') fault()
        at++
        map[key] = value()
        space()
        if (text[at] === ',') at++
        else if (text[at] !== '}') fault()
      }
      at++
      return map
    }
    return scalar(/^[,{}[\]]/)
  }
  if (/^[[{]/.test(text)) {
    const found = value()
    space()
    if (at < text.length) fault()
    return found
  }
  if (/^[&*!|>%@`]/.test(text) || /:\s/.test(text.replace(/^(["']).*\1$/, ''))) fault()
  return unquote(text, number)
}

/** Throws `Unreadable`. */
export function read(text: string): { [key: string]: Tree } {
  const lines = linesOf(text)
  let at = 0
  const block = (indent: number): Tree => {
    const first = lines[at]
    if (!first) return {}
    if (first.text === '-' || first.text.startsWith('- ')) {
      const list: Tree[] = []
      for (let line = lines[at]; line && line.indent === indent; line = lines[at]) {
        if (!line.text.startsWith('- ') || KEY.test(line.text.slice(2).trim())) throw new Unreadable(line.number)
        list.push(inline(line.text.slice(2).trim(), line.number))
        at++
      }
      return list
    }
    const map: { [key: string]: Tree } = {}
    for (let line = lines[at]; line && line.indent >= indent; line = lines[at]) {
      const parts = KEY.exec(line.text)
      if (line.indent !== indent || !parts) throw new Unreadable(line.number)
      const key = unquote(parts[1] ?? '', line.number)
      if (Object.hasOwn(map, key)) throw new Unreadable(line.number)
      at++
      if (parts[2]) map[key] = inline(parts[2].trim(), line.number)
      else {
        const next = lines[at]
        const deeper = next && (next.indent > indent || (next.indent === indent && next.text.startsWith('- ')))
        map[key] = deeper ? block(next.indent) : ''
      }
    }
    return map
  }
  const first = lines[0]
  if (!first) return {}
  const tree = block(first.indent)
  if (at < lines.length || Array.isArray(tree) || typeof tree === 'string') throw new Unreadable(lines[at]?.number ?? 1)
  return tree
}

const scalarText = (text: string): string =>
  text === '' || /^[\s&*!|>%@`"'#?:,[\]{}-]|[:,[\]{}#]|\s$/.test(text) ? JSON.stringify(text) : text

export function write(tree: { [key: string]: Tree }, depth = 0): string {
  const pad = '  '.repeat(depth)
  return Object.entries(tree)
    .map(([key, value]) => {
      const name = scalarText(key)
      if (typeof value === 'string') return `${pad}${name}: ${scalarText(value)}\n`
      if (Array.isArray(value)) return `${pad}${name}: [${value.map(flow).join(', ')}]\n`
      return Object.keys(value).length ? `${pad}${name}:\n${write(value, depth + 1)}` : `${pad}${name}: {}\n`
    })
    .join('')
}

const flow = (value: Tree): string => {
  if (typeof value === 'string') return scalarText(value)
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  return `{ ${Object.entries(value).map(([key, v]) => `${scalarText(key)}: ${flow(v)}`).join(', ')} }`
}

export type Path = readonly string[]

export function at(tree: Tree | undefined, path: Path): Tree | undefined {
  const [key, ...rest] = path
  if (key === undefined) return tree
  if (tree === undefined || typeof tree === 'string' || Array.isArray(tree)) return undefined
  return at(tree[key], rest)
}

/** The tree with another value there; nothing takes it away, and what becomes empty by it too. */
export function put(tree: { [key: string]: Tree }, [key, ...rest]: Path, value: Tree | undefined): { [key: string]: Tree } {
  if (key === undefined) return tree
  const { [key]: old, ...others } = tree
  const inner = typeof old === 'object' && !Array.isArray(old) ? old : {}
  const now = rest.length ? put(inner, rest, value) : value
  const gone = now === undefined || (rest.length > 0 && Object.keys(now).length === 0)
  if (gone) return others
  return Object.hasOwn(tree, key) ? { ...tree, [key]: now } : { ...others, [key]: now }
}

export const hasComments = (text: string): boolean => text.split('\n').some((line) => bare(line) !== line.trimEnd())
