// Beside each file of the build, the same compressed: the server picks what the browser reads. Fails when what a page
// needs at first has grown too large.
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const dist = new URL('../dist/', import.meta.url).pathname
const KIB = 1024
const LIMITS = { 'sign in': 140 * KIB, 'first page': 250 * KIB }

async function* files(dir) {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name)
    if (entry.isDirectory()) yield* files(path)
    else if (!/\.(br|gz)$/.test(path)) yield path
  }
}

const sizes = new Map()
for await (const path of files(dist)) {
  const bytes = await readFile(path)
  const gz = gzipSync(bytes, { level: 9 })
  sizes.set(relative(dist, path), gz.length)
  if (!/\.(js|css|svg|html|json)$/.test(path)) continue
  await writeFile(`${path}.gz`, gz)
  await writeFile(
    `${path}.br`,
    brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
  )
}

// What is fetched for an entry: its own chunk, all that it imports, and their styles.
const manifest = JSON.parse(await readFile(join(dist, '.vite/manifest.json'), 'utf8'))
const needed = (...starts) => {
  const seen = new Set()
  const out = new Set(['index.html'])
  const visit = (key) => {
    const chunk = manifest[key]
    if (!chunk || seen.has(key)) return
    seen.add(key)
    out.add(chunk.file)
    for (const css of chunk.css ?? []) out.add(css)
    for (const next of chunk.imports ?? []) visit(next)
  }
  starts.forEach(visit)
  return [...out].reduce((sum, file) => sum + (sizes.get(file) ?? 0), 0)
}
const found = (part) => Object.keys(manifest).find((key) => key.endsWith(part))
const loads = {
  'sign in': needed('index.html', found('pages/login/index.tsx'), found('i18n/en/base.json')),
  'first page': needed('index.html', found('app/shell.tsx'), found('pages/overview/index.tsx')),
}
for (const [name, bytes] of Object.entries(loads)) {
  console.log(`${name}: ${(bytes / KIB).toFixed(1)} KiB gzip`)
  if (bytes > LIMITS[name]) {
    console.error(`${name} is more than ${LIMITS[name] / KIB} KiB`)
    process.exitCode = 1
  }
}
