// A service's page: what can be rolled back to, what will change, and who was faster; on a real server in a real browser.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { World } from './world.mjs'

let world
const SHOTS = process.env.SHOTS

before(async () => {
  world = await World.start()
  const folder = await world.site('shop')
  const git = (...args) => promisify(execFile)('git', ['-C', folder, ...args], { env: world.env })
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>shop</title><h1>11.11</h1>\n')
  await git('commit', '-qam', '修复 <b>重复</b>下单')
  world.cwd = folder
  await world.run('push', 'shop', '--wait')
  await writeFile(join(folder, 'sale.html'), '<h1>sale</h1>\n')
  await git('add', '-A')
  await git('commit', '-qm', 'A page for the sale')
  await world.run('push', 'shop', '--wait')
  world.cwd = undefined
})
after(() => world?.end())

const shot = async (page, name) => {
  if (!SHOTS) return
  await mkdir(SHOTS, { recursive: true })
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true })
}

test('a rollback lists what is possible with its change, and what is not with the reason', async () => {
  const page = await world.owner()
  await page.goto('/services/shop')
  await page.getByRole('button', { name: 'Roll back', exact: true }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('goes back from v3 to v2').waitFor()
  await dialog.getByText('1 commit is undone').waitFor()
  await dialog.getByText('A page for the sale').waitFor()
  await dialog.getByText('All traffic at once').waitFor()
  await shot(page, 'back')
  await dialog.getByRole('combobox').click()
  const list = page.locator('.ant-select-dropdown:visible')
  await list.getByText('Can be rolled back to').waitFor()
  await list.getByText(/already runs v3/).waitFor()
  await shot(page, 'back-choice')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  assert.deepEqual(page.complaints, [])
})

test('a rollout says what will change, down to the lines, before its button', async () => {
  const page = await world.owner({ lang: 'zh', width: 1440 })
  await page.goto('/services/shop?tab=spec&release=v2')
  await page.goto('/services/shop')
  await page.getByRole('row', { name: /v1/ }).getByRole('button', { name: '发布', exact: true }).waitFor({ state: 'attached' })
  await page.getByRole('row', { name: /v1/ }).getByRole('button', { name: '发布', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('撤回 2 个提交').waitFor()
  await dialog.getByText('修复 <b>重复</b>下单').waitFor()
  await dialog.getByText('源代码改动内容').click()
  await dialog.locator('.source summary').first().click()
  await dialog.getByText('-<!doctype html><title>shop</title><h1>11.11</h1>').waitFor()
  await shot(page, 'rollout-zh')
  assert.deepEqual(page.complaints, [])
})

test('who was faster is named, and the page behind the dialog is what it is now', async () => {
  const page = await world.owner()
  await page.goto('/services/shop')
  await page.getByRole('row', { name: /v1/ }).getByRole('button', { name: /^Go back to it$/ }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('goes back from v3 to v1').waitFor()
  await dialog.getByRole('textbox').fill('orders arrive twice')
  await world.run('rollback', 'shop', '--to', 'v1', '--reason', 'a colleague was faster')
  await dialog.getByRole('button', { name: 'Go back to it' }).click({ trial: true, timeout: 2_000 }).catch(() => {})
  await page.getByText(/runs v1 already|brought it there/).first().waitFor()
  await shot(page, 'faster')
  assert.deepEqual(page.complaints, [])
})

test('a release that was taken back says so, and another is offered', async () => {
  const page = await world.owner()
  await page.goto('/services/shop')
  const row = page.getByRole('row', { name: /^v3/ })
  await row.getByRole('link', { name: 'Taken back from production' }).waitFor()
  await page.locator('.page-actions').getByRole('button', { name: 'Roll out' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('v1 is live in production already').waitFor()
  await page.keyboard.press('Escape')
  await row.getByRole('button', { name: 'Roll out' }).click()
  await page.getByRole('dialog').last().getByRole('link', { name: 'Taken back from production' }).click()
  await page.waitForURL(/\/rollouts\//)
  assert.deepEqual(page.complaints, [])
})

test('what would be refused is said to be, and cannot be sent', async () => {
  const page = await world.owner()
  const refused = { type: '/help/TW-API-003', code: 'TW-API-003', status: 403, title: 'Your `branch` is not among them', fix: 'Ask somebody.' }
  await page.route(/\/plan\?/, async (route) => {
    const answer = await route.fetch()
    const plan = await answer.json()
    await route.fulfill({ response: answer, json: { ...plan, refused, waits: [{ kind: 'freeze', text: 'frozen' }] } })
  })
  await page.goto('/services/shop')
  await page.getByRole('row', { name: /^v2/ }).getByRole('button', { name: 'Roll out' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('It will be refused').waitFor()
  await dialog.locator('code', { hasText: /^branch$/ }).waitFor()
  assert.equal(await dialog.getByText('It will wait before it begins').count(), 0)
  assert.ok(await dialog.getByRole('button', { name: 'Roll out' }).isDisabled())
  assert.deepEqual(page.complaints, [])
})

test('an address opens no question that has no answer, and one that is open says so', async () => {
  const page = await world.owner()
  let answered = () => {}
  await page.route(/\/rollback\?/, async (route) => {
    const answer = await route.fetch()
    const ways = await answer.json()
    await new Promise((done) => (answered = done))
    await route.fulfill({ response: answer, json: { ...ways, possible: [], sites: [] } })
  })
  await page.goto('/services/shop#do=rollback-production')
  const button = page.getByRole('button', { name: 'Roll back', exact: true })
  await button.waitFor()
  await page.waitForTimeout(300)
  assert.equal(await page.getByRole('dialog').count(), 0)
  await button.click()
  const dialog = page.getByRole('dialog')
  const sure = dialog.getByRole('button', { name: 'Roll back' })
  await dialog.getByRole('textbox').fill('orders arrive twice')
  assert.ok(await sure.isDisabled())
  answered()
  await dialog.getByText('This cannot be done now').waitFor()
  assert.ok(await sure.isDisabled())
  await page.keyboard.press('Escape')
  await page.getByText('cannot be done here').waitFor()
  assert.equal(await page.getByRole('dialog').count(), 0)
  assert.deepEqual(page.complaints, [])
})

test('a service is handed over', async () => {
  await world.run('group', 'create', 'order-team')
  const page = await world.owner({ width: 390, height: 800 })
  await page.goto('/services/shop?tab=settings')
  await page.getByRole('button', { name: 'Hand over' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').first().fill('order-team')
  await dialog.getByRole('button', { name: 'Hand over' }).click()
  await page.getByText('order-team', { exact: true }).waitFor()
  assert.equal((await world.ask('service', 'show', 'shop')).owner, 'order-team')
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 0, `the page is ${wide} px too wide`)
  await shot(page, 'settings-390')
  assert.deepEqual(page.complaints, [])
})
