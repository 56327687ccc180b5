// The overview of many services, measured in the browser: `node e2e/thousand.mjs [HOW_MANY] [LIVE]`. Figures, no assertions.
import { settled } from './pages.mjs'
import { World } from './world.mjs'

const [many, live] = [Number(process.argv[2] ?? 1000), Number(process.argv[3] ?? 20)]
const OWNERS = ['orders', 'pricing', 'inventory', 'ads']
const rank = (list, part) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * part))]
const tell = (what, list, unit = 'ms') => console.log(`${what.padEnd(44)} median ${rank(list, 0.5).toFixed(1)} ${unit}, p95 ${rank(list, 0.95).toFixed(1)} ${unit}, most ${Math.max(...list).toFixed(1)} ${unit} (${list.length})`)

const world = await World.start()
try {
  for (let n = 0; n < live; n++) await world.site(`live-${String(n).padStart(3, '0')}`)
  const page = await world.owner({ width: 1440 })
  await settled(page)
  await page.evaluate(
    async ({ many, owners }) => {
      const { csrf } = await (await fetch('/api/v1/me')).json()
      const post = (path, body) => fetch(`/api/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf-token': csrf }, body: JSON.stringify(body) })
      for (let n = 0; n < many; n += 20)
        await Promise.all(
          Array.from({ length: Math.min(20, many - n) }, async (_, k) => {
            const answer = await post('/services', { name: `${owners[(n + k) % owners.length]}-${String(n + k).padStart(4, '0')}` })
            if (!answer.ok) throw new Error(await answer.text())
          }),
        )
    },
    { many: many - live, owners: OWNERS },
  )
  const asked = async (path) =>
    page.evaluate(async (path) => {
      const took = []
      for (let n = 0; n < 30; n++) {
        const began = performance.now()
        const answer = await fetch(path)
        await answer.arrayBuffer()
        if (!answer.ok) throw new Error(String(answer.status))
        took.push(performance.now() - began)
      }
      return took
    }, path)
  console.log(`${many} services, ${live} of them live`)
  tell('GET /overview, first page of 50', await asked('/api/v1/overview?limit=50'))
  tell('GET /overview?sort=attention', await asked('/api/v1/overview?limit=50&sort=attention'))
  tell('GET /overview?q=00', await asked('/api/v1/overview?limit=50&q=00'))
  tell('GET /search?q=ads', await asked('/api/v1/search?q=ads&limit=8'))

  const shown = []
  for (let n = 0; n < 5; n++) {
    const fresh = await world.owner({ width: 1440 })
    const began = Date.now()
    await fresh.goto('/')
    await fresh.getByRole('row').nth(5).waitFor()
    shown.push(Date.now() - began)
    await fresh.context().close()
  }
  tell('from the address to rows', shown)

  await page.goto('/')
  await settled(page)
  const frames = await page.evaluate(async () => {
    const took = []
    let last = performance.now()
    let rest = 600
    // As fast as a person throws a wheel, until the end.
    for (;;) {
      await new Promise((next) => requestAnimationFrame(next))
      const now = performance.now()
      took.push(now - last)
      last = now
      scrollBy(0, 120)
      const end = innerHeight + scrollY >= document.documentElement.scrollHeight - 2
      if (!end) rest = 600
      else if (--rest < 0) break
    }
    return took.slice(5)
  })
  tell('a frame while scrolling to the end', frames)
  const rows = Number(await page.getByRole('table').first().getAttribute('aria-rowcount'))
  console.log(`rows told of: ${rows}; frames above 50 ms: ${frames.filter((f) => f > 50).length} of ${frames.length}`)
  const typed = []
  for (const text of ['ads-0', 'pri', 'live-01', 'order']) {
    const began = Date.now()
    await page.getByRole('searchbox').fill(text)
    await page.waitForFunction((text) => {
      const names = [...document.querySelectorAll('[role=row] [role=rowheader] a, [role=row] a[href^="/services/"]')].map((a) => a.textContent)
      return names.length > 0 && names.every((n) => n.includes(text))
    }, text)
    typed.push(Date.now() - began)
  }
  tell('from the last letter to what fits', typed)
  const heap = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? 0)
  console.log(`heap after all of it: ${(heap / 2 ** 20).toFixed(1)} MiB`)
} finally {
  await world.end()
}
