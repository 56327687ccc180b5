// What an event changed, field by field.

export type Value = unknown

export interface Change {
  /** `sites.default.step`. */
  path: string
  sort: 'added' | 'removed' | 'changed' | 'same'
  before?: Value
  after?: Value
}

const isRecord = (value: Value): value is Record<string, Value> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A sentence in both languages is one value. */
const isSaid = (value: Record<string, Value>): boolean =>
  typeof value['en'] === 'string' && typeof value['zh'] === 'string' && Object.keys(value).length === 2

function flat(value: Value, path: string, into: Map<string, Value>): void {
  if (isRecord(value) && !isSaid(value) && Object.keys(value).length > 0)
    for (const [key, part] of Object.entries(value)) flat(part, path === '' ? key : `${path}.${key}`, into)
  else if (Array.isArray(value) && value.some(isRecord)) value.forEach((part, n) => flat(part, `${path}[${n}]`, into))
  else if (path !== '') into.set(path, value)
}

/** What differs comes first, each in the order of the event. */
export function changes(before: Value, after: Value): Change[] {
  const [old, now] = [new Map<string, Value>(), new Map<string, Value>()]
  flat(before, '', old)
  flat(after, '', now)
  const found: Change[] = []
  for (const path of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(path), now.get(path)]
    if (!old.has(path)) found.push({ path, sort: 'added', after: is })
    else if (!now.has(path)) found.push({ path, sort: 'removed', before: was })
    else found.push({ path, sort: JSON.stringify(was) === JSON.stringify(is) ? 'same' : 'changed', before: was, after: is })
  }
  return [...found.filter((c) => c.sort !== 'same'), ...found.filter((c) => c.sort === 'same')]
}

/** Microseconds since the epoch, of a field whose name says that it is a time. */
export function timeOf(path: string, value: Value): number | undefined {
  const name = path.split('.').at(-1) ?? ''
  if (!/(^|_)(at|since|until|from|to)$/.test(name) || typeof value !== 'number') return undefined
  return value > 1e15 && value < 1e16 ? value / 1_000 : undefined
}

const GIST = ['who', 'handle', 'reason', 'note', 'message', 'why', 'remark', 'title', 'name', 'label', 'role', 'release']

/** What says most about an event in a few words; sentences in `lang`, and states as `named`. */
export function gist(before: Value, after: Value, lang: 'en' | 'zh', named = (state: string): string => state): string {
  if (!isRecord(after)) return ''
  const said = (value: Value): string | undefined => {
    if (typeof value === 'string') return value.trim() || undefined
    if (!isRecord(value)) return undefined
    if (isSaid(value)) return String(value[lang])
    // A fault keeps its sentence among its arguments.
    return isRecord(value['args']) ? said(value['args']['why']) : undefined
  }
  const words: string[] = []
  const state = (value: Value): Value => (isRecord(value) ? (value['state'] ?? value['phase']) : undefined)
  const [was, is] = [state(before), state(after)]
  if (typeof is === 'string') words.push(typeof was === 'string' && was !== is ? `${named(was)} \u2192 ${named(is)}` : named(is))
  for (const key of GIST) {
    const text = said(after[key])
    if (text !== undefined && words.length < 3) words.push(text)
  }
  return words.join(' \u00b7 ')
}
