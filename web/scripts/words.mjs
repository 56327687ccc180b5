// Every key is there in both languages, with the same placeholders, and every key that the code names exists.
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

const root = new URL('../src/', import.meta.url).pathname
const folder = join(root, 'i18n')
const flat = (value, prefix = '') =>
  Object.entries(value).flatMap(([key, v]) =>
    typeof v === 'string' ? [[`${prefix}${key}`, v]] : flat(v, `${prefix}${key}.`),
  )
const faults = []
const known = new Set()
const PLURAL = /_(zero|one|two|few|many|other)$/
const holes = (text) => [...new Set([...text.matchAll(/{{-?\s*(\w+)/g)].map((m) => m[1]))].sort().join(',')

for (const file of (await readdir(join(folder, 'en'))).filter((f) => f.endsWith('.json'))) {
  const space = file.replace('.json', '')
  const [en, zh] = await Promise.all(
    ['en', 'zh'].map(async (lang) => {
      const text = await readFile(join(folder, lang, file), 'utf8').catch(() => '{}')
      return new Map(flat(JSON.parse(text)))
    }),
  )
  // Chinese has one form where English has two.
  const base = (map) => new Map([...map].map(([key, text]) => [key.replace(PLURAL, ''), text]))
  const [a, b] = [base(en), base(zh)]
  for (const key of a.keys()) {
    known.add(`${space}:${key}`)
    if (!b.has(key)) faults.push(`zh/${file}: ${key} is missing`)
    else if (holes(a.get(key)) !== holes(b.get(key))) faults.push(`${file}: ${key} has other placeholders in zh`)
  }
  for (const key of b.keys()) if (!a.has(key)) faults.push(`en/${file}: ${key} is missing`)
  for (const [key, text] of [...en, ...zh]) if (!text.trim()) faults.push(`${file}: ${key} is empty`)
}

async function* sources(dir) {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (/\.tsx?$/.test(entry.name) && entry.name !== 'schema.ts') yield path
  }
}
for await (const path of sources(root)) {
  const text = await readFile(path, 'utf8')
  for (const [, key] of text.matchAll(/\bt\(\s*'([\w-]+:[\w.-]+)'/g))
    if (!known.has(key)) faults.push(`${path.slice(root.length)}: no words for ${key}`)
  for (const [, word] of text.matchAll(/[>'"`]([^<>'"`{}]*[\u4e00-\u9fff][^<>'"`{}]*)/g))
    if (!path.includes('.test.')) faults.push(`${path.slice(root.length)}: "${word.trim()}" belongs into src/i18n`)
}
if (faults.length) {
  console.error(faults.join('\n'))
  process.exit(1)
}
