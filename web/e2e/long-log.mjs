// Measures the console's view of a log of 100 MB: a real run writes it, a real browser shows it. Prints a table.
//   node e2e/long-log.mjs
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { World } from './world.mjs'

const MIB = 1 << 20
const LINES = 800_000
const PIPELINE = `
long:
  script:
    - awk 'BEGIN { for (i = 1; i <= ${LINES}; i++) printf "%07d \\033[3%dmimport\\033[0m order %d of shop shopee-br, sku 1017-%d, kept in the warehouse of Sao Paulo until it is packed\\n", i, i % 8, i * 7, i % 97 }'
    - awk 'BEGIN { for (i = 1; i <= 524288; i++) printf "0123456789"; printf "far-needle\\n" }'
    - printf '<script>document.title = 1</script>\\033]0;title\\007\\r\\n10%%\\r100%%\\n'
    - echo the very last needle
`

const world = await World.start()
const rows = []
const took = async (what, act) => {
  const began = performance.now()
  await act()
  rows.push([what, `${Math.round(performance.now() - began)} ms`])
}
try {
  const folder = await world.site('storefront')
  await writeFile(join(folder, '.gitlab-ci.yml'), PIPELINE)
  const git = (...args) => promisify(execFile)('git', ['-C', folder, ...args], { env: world.env })
  await git('add', '-A')
  await git('commit', '-q', '-m', 'Import everything')
  world.cwd = folder
  await world.run('push', 'storefront', '--no-wait').catch(() => {})
  world.cwd = undefined
  const [{ id }] = (await world.ask('run', 'list', 'storefront')).items
  let run = await world.ask('run', 'show', id)
  while (!run.finished_at) {
    await new Promise((done) => setTimeout(done, 500))
    run = await world.ask('run', 'show', id)
  }
  const job = run.jobs.find((j) => j.name === 'long')
  rows.push(['the log', `${(job.log_bytes / 1e6).toFixed(0)} MB, ${LINES.toLocaleString('en')} lines`])
  rows.push(['written by the job and stored', `${((Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000).toFixed(1)} s`])

  const page = await world.owner({ width: 1440, height: 900 })
  await page.goto('/')
  await page.locator('h1').waitFor()
  let fetched = 0
  page.on('requestfinished', async (request) => {
    if (/\/jobs\/[^/]+\/log/.test(request.url())) fetched += (await request.sizes()).responseBodySize
  })
  const row = (text) => page.locator('.log-row .log-text').filter({ hasText: text }).first()
  const heap = async () => {
    const session = await page.context().newCDPSession(page)
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize, backingStorageSize = 0 } = await session.send('Runtime.getHeapUsage')
    await session.detach()
    return `${((usedSize + backingStorageSize) / MIB).toFixed(0)} MiB`
  }
  rows.push(['heap before', await heap()])
  await took('page opened to the first line, index not known yet', async () => {
    await page.goto(`/runs/${id}?job=${job.id}`)
    await row('awk').waitFor()
  })
  await took('page opened again to the first line', async () => {
    await page.reload()
    await row('awk').waitFor()
  })
  rows.push(['heap with the first lines', await heap()])
  await took('to the last line', async () => {
    await page.getByRole('button', { name: 'To the last line' }).click()
    await row('Job succeeded').waitFor()
  })
  const search = page.getByRole('search').getByRole('textbox')
  await took('to line 400,000', async () => {
    await search.fill(':400000')
    await search.press('Enter')
    await row(/^0399998 /).waitFor()
  })
  await took('a word on the last lines found', async () => {
    await search.fill('very last needle')
    await page.getByRole('status').filter({ hasText: 'of 2' }).waitFor()
    await page.locator('mark.current').waitFor()
  })
  await took('a word on every line: the first hit shown', async () => {
    await search.fill('warehouse')
    await page.locator('mark.current').waitFor()
  })
  await took('a word at the end of a line of 5 MB found', async () => {
    await search.fill('far-needle')
    await page.getByRole('status').filter({ hasText: '1 of 2' }).waitFor()
    await search.press('Enter')
    await page.locator('.log-note code mark').waitFor()
  })
  await search.fill('')
  await page.locator('.log-box').hover()
  let frames = []
  await page.evaluate(() => {
    globalThis.frames_ = []
    let last = performance.now()
    const tick = (now) => {
      globalThis.frames_.push(now - last)
      last = now
      globalThis.ticking = requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
  })
  for (let n = 0; n < 100; n++) {
    await page.mouse.wheel(0, 1_500)
    await page.waitForTimeout(16)
  }
  frames = await page.evaluate(() => (cancelAnimationFrame(globalThis.ticking), globalThis.frames_))
  frames.sort((a, b) => a - b)
  rows.push(['scrolling: a frame, median and 95th percentile', `${frames[Math.floor(frames.length / 2)].toFixed(0)} and ${frames[Math.floor(frames.length * 0.95)].toFixed(0)} ms`])
  rows.push(['heap after all this', await heap()])
  rows.push(['fetched in all', `${(fetched / MIB).toFixed(1)} MiB`])
  if (page.complaints.length) throw new Error(page.complaints.join('\n'))
  console.log(['| | |', '| --- | --- |', ...rows.map(([what, figure]) => `| ${what} | ${figure} |`)].join('\n'))
} finally {
  await world.end()
}
