// The console in a real browser, on a real server with a real rollout behind it.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { pages, settled } from './pages.mjs'
import { PASSWORD, World } from './world.mjs'

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** @type {World} */
let world
let rollout
let run

before(async () => {
  world = await World.start()
  await world.site('storefront')
  rollout = (await world.ask('rollout', 'list', 'storefront')).items[0].id
  run = (await world.ask('run', 'list', 'storefront')).items[0].id
  await world.person('wang.fang', 'viewer')
})
after(() => world?.end())

test('a link of the command line signs in once', async () => {
  const page = await world.visitor()
  const { url } = await world.ask('console')
  await page.goto(url)
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  assert.equal(new URL(page.url()).hash, '', 'the code is not left in the address')
  const other = await world.visitor()
  await other.goto(url)
  await other.getByRole('alert').getByText('this link is not valid').waitFor()
  await page.context().close()
  await other.context().close()
})

test('a wrong password is said, what was typed stays, the right one leads on to where one wanted to be', async () => {
  const page = await world.visitor({ lang: 'zh' })
  await page.goto('/services/storefront')
  await page.waitForURL(/\/login/)
  await page.getByLabel('用户名').fill('wang.fang')
  await page.getByLabel('密码').fill('wrong wrong wrong')
  await page.getByRole('button', { name: '登录' }).click()
  await page.getByRole('alert').waitFor()
  assert.equal(await page.getByLabel('用户名').inputValue(), 'wang.fang')
  await page.getByLabel('密码').fill(PASSWORD)
  await page.getByRole('button', { name: '登录' }).click()
  await page.waitForURL(/\/services\/storefront/)
  await page.getByRole('heading', { level: 1, name: 'storefront' }).waitFor()
  await page.context().close()
})

test('signing out leads back to the door, and nothing is left to see', async () => {
  const page = await world.owner()
  await page.getByRole('button', { name: /Signed in as owner/ }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL(/\/login/)
  await page.goto('/events')
  await page.waitForURL(/\/login/)
  await page.context().close()
})

for (const [lang, look, width] of [
  ['en', 'light', 1280],
  ['zh', 'dark', 1280],
  ['zh', 'light', 390],
])
  test(`every page in ${lang}, ${look}, ${width} wide`, async (t) => {
    const page = await world.owner({ lang, look, width })
    for (const [name, path] of pages({ service: 'storefront', rollouts: { completed: rollout }, runs: { good: run } }))
      await t.test(name, async () => {
        page.complaints.length = page.refused.length = 0
        await page.goto(path)
        await settled(page)
        assert.deepEqual(page.complaints, [], 'the page complains')
        assert.deepEqual(page.refused, [], 'the server refuses what the page asks')
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        assert.ok(wide <= 0, `the page is ${wide} px too wide`)
        const text = await page.evaluate(() => document.body.innerText)
        assert.doesNotMatch(text, /\b(overview|service|rollout|run|events|people|account|system|base):[a-z]/, 'a key without words')
        if (lang === 'zh') assert.match(text, /[\u4e00-\u9fff]/)
        await page.evaluate(AXE)
        const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] }))
        const told = violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.html).slice(0, 3).join('\n  ')}`)
        assert.deepEqual(told, [])
      })
    await page.context().close()
  })

test('what happens is shown without a reload', async () => {
  const page = await world.owner()
  await page.goto('/')
  await settled(page)
  await world.run('freeze', '--all', '--reason', '11.11 <b>bold</b>')
  const notice = page.getByRole('link', { name: '11.11 <b>bold</b>' })
  await notice.waitFor()
  await world.run('unfreeze', '--all', '--reason', 'over')
  await notice.waitFor({ state: 'detached' })
  await page.context().close()
})

test('a viewer may not, and is not offered to', async () => {
  const page = await world.visitor()
  await page.goto('/login')
  await page.getByLabel('Name').fill('wang.fang')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await page.goto('/services/storefront')
  await settled(page)
  assert.equal(await page.getByRole('button', { name: /roll back/i, disabled: false }).count(), 0)
  await page.context().close()
})

test('pages come with a strict policy, and files are kept for good', async () => {
  const page = await fetch(world.url, { headers: { accept: 'text/html' } })
  const policy = page.headers.get('content-security-policy')
  assert.match(policy, /script-src 'self';/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
  const html = await page.text()
  assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)/, 'no script within the page')
  const script = html.match(/src="(\/assets\/[^"]+)"/)[1]
  const file = await fetch(world.url + script, { headers: { 'accept-encoding': 'br' } })
  assert.match(file.headers.get('cache-control'), /immutable/)
  assert.equal(file.headers.get('content-encoding'), 'br')
  assert.equal((await fetch(`${world.url}/assets/gone.js`)).status, 404)
  assert.equal((await fetch(`${world.url}/api/v1/nothing`, { headers: { accept: 'text/html' } })).headers.get('content-type'), 'application/problem+json')
})
