// A run's page: its commands, its graph, a log too long to be carried whole and full of what a log should not have, what its
// jobs left, and what it did before it ran again.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { World } from './world.mjs'

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** @type {World} */
let world
let folder
const runs = []

const LINES = 120_000
const PIPELINE = (fails) => `
stages: [build, test]
long:
  stage: build
  script:
    - 'printf "<script>document.title = 1</script><img src=x onerror=alert(1)>\\033]0;title\\007\\033[2J\\n"'
    - awk 'BEGIN { for (i = 1; i <= ${LINES}; i++) printf "line %07d of the long log, with words enough to make it long, and a colour \\033[3%dm%d\\033[0m\\n", i, i % 8, i }'
    - awk 'BEGIN { for (i = 1; i <= 500000; i++) printf "0123456789"; printf "far-needle\\n" }'
    - printf 'crlf\\r\\n10%%\\r50%%\\r100%% done\\n'
    - echo the very last needle
  artifacts: { paths: [index.html] }
quick:
  stage: test
  needs: [long]
  script: [date, ${fails ? '"echo 2 failed; exit 3"' : 'echo 2 passed'}, echo after]
  after_script: [echo swept]
`

async function push(fails, message) {
  await writeFile(join(folder, '.gitlab-ci.yml'), PIPELINE(fails))
  const git = (...args) => promisify(execFile)('git', ['-C', folder, ...args], { env: world.env })
  await git('add', '-A')
  await git('commit', '-q', '--allow-empty', '-m', message)
  world.cwd = folder
  await world.run('push', 'storefront', '--no-wait')
  world.cwd = undefined
  const [last] = (await world.ask('run', 'list', 'storefront')).items
  runs.push(await until(last.id, (run) => run.finished_at))
}

/** A run, once it is such. */
async function until(id, such) {
  for (;;) {
    const run = await world.ask('run', 'show', id)
    if (such(run)) return run
    await new Promise((done) => setTimeout(done, 200))
  }
}

before(async () => {
  world = await World.start()
  folder = await world.site('storefront')
  await push(false, 'Count stock')
  await push(true, 'Count stock twice')
})
after(() => world?.end())

const jobOf = (run, name) => run.jobs.find((j) => j.name === name)
const at = (run, name, more = '') => `/runs/${run.id}?job=${jobOf(run, name).id}${more}`
const row = (page, text) => page.locator('.log-row .log-text').filter({ hasText: text }).first()

test('the commands of a job say how they ended, and lead to their lines', async () => {
  const page = await world.owner()
  await page.goto(at(runs[1], 'quick'))
  const commands = page.getByRole('region', { name: 'Commands' })
  await commands.waitFor()
  assert.equal(await commands.getByRole('listitem').count(), 4)
  const failed = commands.getByRole('button', { name: /echo 2 failed/ })
  assert.match(await failed.innerText(), /exit code 3/)
  await failed.click()
  await page.waitForURL(/line=\d+/)
  await page.locator('.log-row.linked').filter({ hasText: 'echo 2 failed' }).waitFor()
  assert.equal(await page.locator('.graph-lines path').count(), 1, 'one job needs another')
  await page.getByRole('button', { name: 'long', exact: true }).first().click()
  await page.context().close()
})

test('of a long log only what is in sight is fetched; its end, a line and a word are found at once', async () => {
  const page = await world.owner()
  const asked = []
  page.on('request', (request) => /\/log\?/.test(request.url()) && asked.push(request.url()))
  await page.goto(at(runs[0], 'long'))
  await row(page, 'awk').waitFor()
  const { log_bytes } = jobOf(runs[0], 'long')
  assert.ok(log_bytes > 14_000_000, `${log_bytes} bytes`)
  assert.ok(asked.every((url) => /limit=/.test(url)) && asked.length < 20, `${asked.length} parts`)
  await page.getByRole('button', { name: 'To the last line' }).click()
  await row(page, 'Job succeeded').waitFor()
  await row(page, '100% done').waitFor()
  assert.equal(await page.title().then((t) => t === '1'), false, 'what a log says is not run')
  const search = page.getByRole('search').getByRole('textbox')
  await search.fill(':60005')
  await search.press('Enter')
  await row(page, 'line 0059997 of').waitFor()
  await search.fill('VERY last needle')
  await page.getByRole('status').filter({ hasText: '1 of 2' }).waitFor()
  await search.press('Enter')
  await page.locator('mark.current').waitFor()
  await search.fill('far-needle')
  await page.getByRole('status').filter({ hasText: '1 of 2' }).waitFor()
  await search.press('Enter')
  await page.locator('.log-note code mark').waitFor()
  await page.goto(at(runs[0], 'long', '&line=100000'))
  await page.locator('.log-row.linked').filter({ hasText: 'line' }).waitFor()
  assert.deepEqual(page.complaints, [])
  await page.context().close()
})

test('a failed job is compared with its last success', async () => {
  const page = await world.owner({ lang: 'zh' })
  await page.goto(at(runs[1], 'quick'))
  await page.getByRole('button', { name: '与上次成功对比' }).click()
  const first = page.locator('.comparison tr.first')
  await first.waitFor()
  assert.match(await first.innerText(), /echo 2 failed/)
  await page.goto(at(runs[1], 'long'))
  await page.getByRole('button', { name: '与上次成功对比' }).click()
  await page.getByText('两份日志内容一致').or(page.locator('.comparison-head p')).first().waitFor()
  assert.equal(await page.locator('.comparison tr.first').count(), 0, 'long logs that say the same')
  await page.context().close()
})

test('what a job left is taken away as a file', async () => {
  const page = await world.owner()
  await page.goto(at(runs[0], 'long'))
  const coming = page.waitForEvent('download')
  await page.getByRole('button', { name: /Download storefront-2-long\.tar\.zst/ }).or(page.getByRole('link', { name: /Download storefront-2-long\.tar\.zst/ })).click()
  assert.equal((await coming).suggestedFilename(), 'storefront-2-long.tar.zst')
  await page.context().close()
})

for (const [lang, look, width] of [
  ['en', 'light', 1280],
  ['zh', 'dark', 390],
])
  test(`commands, graph, comparison and artifacts in ${lang}, ${look}, ${width} wide`, async () => {
    const page = await world.owner({ lang, look, width })
    await page.goto(at(runs[1], 'quick'))
    await page.locator('.artifacts li').first().waitFor()
    const told = async () => {
      await page.evaluate(AXE)
      const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }))
      return violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.html).slice(0, 3).join('\n  ')}`)
    }
    assert.deepEqual(await told(), [])
    await page.getByRole('button', { name: lang === 'zh' ? '与上次成功对比' : 'Compare with the last success' }).click()
    await page.locator('.comparison tr.first').waitFor()
    assert.deepEqual(await told(), [])
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(wide <= 0, `the page is ${wide} px too wide`)
    assert.deepEqual(page.complaints, [])
    await page.context().close()
  })

test('what was before a job ran again stays in sight, on a phone too', async () => {
  await world.run('run', 'retry', runs[1].id, '--job', 'quick', '--no-wait')
  await until(runs[1].id, (run) => jobOf(run, 'quick').attempt === 2 && jobOf(run, 'quick').state === 'failed')
  const page = await world.owner({ width: 390, height: 844 })
  await page.goto(at(runs[1], 'quick'))
  await page.getByText('Attempt 1', { exact: true }).click()
  await row(page, '2 failed').waitFor()
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 0, `the page is ${wide} px too wide`)
  assert.deepEqual(page.complaints, [])
  await page.context().close()
})
