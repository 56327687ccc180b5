// The system, people and the event log, as who looks after an installation meets them.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { settled } from './pages.mjs'
import { World } from './world.mjs'

/** @type {World} */
let world

before(async () => {
  world = await World.start()
  const folder = await world.site('storefront')
  // A second environment, which one may be let into without the first.
  const spec = join(folder, 'tradewind.yaml')
  const text = await readFile(spec, 'utf8')
  await writeFile(spec, text.replace(/^environments:\n/m, 'environments:\n  staging: { branch: staging }\n'))
  const git = (...args) => promisify(execFile)('git', ['-C', folder, ...args], { env: world.env })
  await git('commit', '-q', '-am', 'Try it in staging first')
  world.cwd = folder
  await world.run('push', 'storefront', '--wait')
  world.cwd = undefined
  await world.person('dev', 'viewer')
  await world.run('role', 'grant', 'developer', '--user', 'dev', '--env', 'staging')
  await world.person('leaver', 'viewer')
})
after(() => world?.end())

const fits = async (page) => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page scrolls sideways')

test('what is missing stands on top, with what to do', async () => {
  const page = await world.owner({ width: 390 })
  await page.goto('/system')
  await settled(page)
  const first = page.locator('.findings li').first()
  await first.getByText('Lacking').waitFor()
  await page.getByText('no backup of it was ever made').waitFor()
  await page.getByText('make one with').waitFor()
  await fits(page)
  await page.locator('.findings').getByRole('link', { name: 'Backups' }).click()
  await page.getByText('There is no backup').waitFor()
  await fits(page)
  assert.deepEqual(page.complaints, [])
  await page.context().close()
})

test('what is stored is told by kind, and nothing is collected that is not due', async () => {
  const page = await world.owner()
  await page.goto('/system?tab=storage')
  await settled(page)
  for (const kind of ['Database', 'Releases', 'Sources']) await page.getByRole('table').getByText(kind, { exact: true }).waitFor()
  const collect = page.getByRole('button', { name: 'Collect now' })
  assert.equal(await collect.isDisabled(), true)
  assert.equal(await collect.getAttribute('title'), 'Nothing is due')
  assert.deepEqual(page.complaints, [])
  await page.context().close()
})

test('a host says what it has left and what runs on it', async () => {
  const page = await world.owner()
  await page.goto('/system?tab=hosts')
  await settled(page)
  await page.getByText('Load', { exact: true }).waitFor()
  await page.getByText(/free of/).first().waitFor()
  assert.equal(await page.getByRole('button', { name: 'Remove this host' }).count(), 0, 'it is there')
  assert.deepEqual(page.complaints, [])
  await page.context().close()
})

test('who may deploy in staging is not offered production', async () => {
  const page = await world.signedIn('dev')
  const me = await page.evaluate(async () => (await fetch('/api/v1/me')).json())
  assert.ok(me.actions.includes('deploy'))
  await page.goto('/services/storefront')
  await settled(page)
  const [staging, production] = ['staging', 'production'].map((name) => page.getByRole('region', { name, exact: true }))
  await production.getByText('v2').first().waitFor()
  assert.equal(await production.getByRole('button', { name: /Roll (out|back)/ }).count(), 0)
  await staging.getByRole('button', { name: 'Roll out' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  await dialog.getByText('staging').first().waitFor()
  assert.equal(await dialog.getByText('production', { exact: true }).count(), 0)
  assert.deepEqual(page.complaints, [])
  await page.context().close()
})

test('the reason for what is taken away stands in the history of whom it was taken from', async () => {
  const page = await world.owner()
  await page.goto('/people')
  await settled(page)
  await page.getByRole('button', { name: /leaver/ }).click()
  const drawer = page.getByRole('dialog').first()
  await drawer.getByRole('button', { name: 'Disable' }).click()
  const asked = page.getByRole('dialog').last()
  await asked.getByRole('textbox').fill('left the company')
  await asked.getByRole('button', { name: 'Disable' }).click()
  await drawer.getByText('Disabled').first().waitFor()
  await drawer.getByRole('link', { name: 'History of this' }).click()
  await page.waitForURL(/subject=user/)
  await page.getByText('left the company').first().waitFor()
  assert.deepEqual(page.complaints, [])
  await page.context().close()
})

test('what is frozen is said, and until when', async () => {
  const page = await world.owner()
  await world.run('freeze', 'storefront', '--env', 'production', '--reason', '11.11')
  await page.goto('/')
  await page.getByRole('status').getByText('storefront in production is frozen until it is lifted').waitFor()
  await page.keyboard.press('Control+k')
  const search = page.getByRole('combobox', { name: 'Search and commands' })
  for (const said of ['\u89e3\u9664\u51bb\u7ed3', 'unfreeze', 'lift storefront']) {
    await search.fill(said)
    await page.getByRole('option', { name: /^Lift the freeze of storefront \/ production/ }).waitFor()
  }
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').fill('the sale is over')
  await dialog.getByRole('textbox').press('Control+Enter')
  await page.getByText('The freeze is lifted').waitFor()
  assert.deepEqual((await world.ask('freezes')).items, [])
  await page.context().close()
})
