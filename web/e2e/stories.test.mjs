// What people do in the console, from beginning to end, while a server really does it.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import { settled } from './pages.mjs'
import { Shop } from './shop.mjs'
import { totp } from './totp.mjs'
import { PASSWORD, World } from './world.mjs'

const world = new World()
const story = (name, tell) => world.story(name, tell)
/** @type {Shop} */
let shop

before(() => world.start())
after(() => world.end())

const done = async (page) => {
  assert.deepEqual(page.complaints, [], 'the page complains')
  await page.context().close()
}
const live = async () => (await world.ask('status', 'storefront')).items[0].release.label
/** In the dialog that is open. */
const dialog = (page) => page.locator('.ant-modal:visible')

story('the first service, by the steps of the empty overview', async () => {
  const page = await world.owner()
  await page.getByRole('heading', { name: 'Deploy the first service' }).waitFor()
  const steps = await page.locator('.ov-command code').allInnerTexts()
  assert.deepEqual(steps.map((s) => s.split(' ').slice(0, 2).join(' ')), ['tradewind init', 'tradewind login', 'git remote', 'git push'])
  assert.ok(steps[1].includes(world.url), 'with the address of this server')
  shop = await Shop.open(world, 'storefront')
  // The page was not touched: it learned of it.
  await page.getByRole('link', { name: 'storefront' }).first().waitFor()
  await page.getByText('v1').first().waitFor()
  await done(page)
})

story('a canary that fails is taken back while the page watches', async () => {
  const page = await world.owner()
  await page.goto('/services/storefront')
  await settled(page)
  await shop.push('Try a new checkout', 5, false)
  await page.getByRole('link', { name: /under way/i }).first().click()
  await page.waitForURL(/\/rollouts\//)
  // Without customers there is no evidence, and it waits.
  await page.getByText(/50\s?%/).first().waitFor()
  await page.getByRole('button', { name: 'Abort' }).waitFor()
  await page.getByText('No request yet').first().waitFor()
  const customers = shop.customers()
  try {
    // Nobody touches anything: the judge decides, and the page tells.
    await page.getByText('v2 was worse than v1 and was taken back').waitFor()
    await page.getByText('Failed').first().waitFor()
    await page.getByRole('button', { name: 'Abort' }).waitFor({ state: 'detached' })
    const errors = page.getByRole('img', { name: /errors, over time\. Of all: v2 \d/ })
    const [, canary, baseline] = (await errors.getAttribute('aria-label')).match(/v2 ([\d.]+)%, v1 ([\d.]+)%/)
    assert.ok(Number(canary) > 20 && Number(baseline) < 20, `${canary} % beside ${baseline} %`)
    await page.getByRole('img', { name: /v2 half within .* 99% within .*; v1 half within/ }).waitFor()
    assert.equal(await live(), 'v1')
    await done(page)
  } finally {
    const { good, bad } = await customers.stop()
    assert.ok(good > bad, `${good} good, ${bad} bad`)
  }
})

story('what holds the queue is lifted, and a rollback is done from a phone with one thumb', async () => {
  await world.run('acknowledge', 'storefront', '--env', 'production', '--note', 'seen')
  const customers = shop.customers()
  try {
    await shop.push('A better checkout', 0)
  } finally {
    await customers.stop()
  }
  const page = await world.owner({ lang: 'zh', width: 390, height: 780 })
  await page.goto('/services/storefront')
  await settled(page)
  const button = page.locator('.thumb-bar button')
  const box = await button.boundingBox()
  assert.ok(box.height >= 44, `a thumb needs 44 px, it has ${box.height}`)
  assert.ok(box.y + box.height <= 780 && box.y > 390, 'within reach')
  await button.tap()
  await dialog(page).getByRole('textbox').last().fill('\u8ba2\u5355\u91cd\u590d')
  await dialog(page).locator('.ant-btn-dangerous').tap()
  await page.waitForURL(/\/rollouts\//)
  await page.getByText('\u5df2\u5b8c\u6210').first().waitFor()
  await done(page)
  assert.equal(await live(), 'v1')
  const told = (await world.ask('events', '--service', 'storefront', '--limit', '50')).items
  assert.ok(JSON.stringify(told).includes('\u8ba2\u5355\u91cd\u590d'), 'the reason is kept')
})

story('an address of a message leads to the question itself, once', async () => {
  const page = await world.owner()
  await page.goto('/services/storefront#do=freeze')
  await dialog(page).getByText('Freeze').first().waitFor()
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => location.hash === '')
  await page.reload()
  await settled(page)
  assert.equal(await dialog(page).count(), 0)
  // There is nothing to take back, and it says so.
  await page.goto('/services/storefront#do=rollback-staging')
  await page.getByText('cannot be done here').waitFor()
  await done(page)
})

story('everything by keyboard: pages, search, a verb of a service', async () => {
  const page = await world.owner()
  await settled(page)
  await page.keyboard.press('?')
  await dialog(page).getByText('Keyboard shortcuts').waitFor()
  await page.keyboard.press('Escape')
  await dialog(page).waitFor({ state: 'hidden' })
  await page.keyboard.press('g')
  await page.keyboard.press('e')
  await page.waitForURL(/\/events/)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search and commands' }).fill('storefront v1')
  await page.getByRole('option', { name: /^storefront v1/ }).waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/services\/storefront\?.*release=v1/)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search and commands' }).fill('storefront #1')
  await page.getByRole('option', { name: /^storefront #1/ }).waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/runs\//)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search and commands' }).fill('freeze storefront')
  await page.getByRole('option', { name: /^Freeze storefront/ }).waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/services\/storefront/)
  const reason = dialog(page).getByRole('textbox')
  await reason.waitFor()
  await reason.fill('11.11')
  await reason.press('Control+Enter')
  const notice = page.getByRole('link', { name: /frozen .*11\.11/ })
  await notice.waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await notice.waitFor({ state: 'detached' })
  assert.deepEqual((await world.ask('freezes')).items, [])
  await done(page)
})

story('runs of one state, by an address that can be kept', async () => {
  const page = await world.owner()
  await page.goto('/services/storefront?tab=runs&state=failed')
  await page.getByText('No run is in this state').waitFor()
  await page.goto('/services/storefront?tab=runs&state=success')
  await page.getByRole('link', { name: '#1', exact: true }).waitFor()
  assert.deepEqual(page.refused, [])
  await done(page)
})

story('a conflict says who was faster, and what was typed stays', async () => {
  const page = await world.owner()
  await world.run('freeze', 'storefront', '--reason', 'Double orders')
  await page.goto('/system?tab=freezes')
  await page.getByRole('row', { name: /Double orders/ }).getByRole('button', { name: 'Lift' }).click()
  await dialog(page).getByRole('textbox').fill('all is well again')
  // Somebody else does it meanwhile: the row goes, the question stays.
  await world.run('unfreeze', 'storefront', '--reason', 'mine was first')
  await dialog(page).getByText('somebody else has done it').waitFor()
  assert.equal(await dialog(page).getByRole('textbox').inputValue(), 'all is well again')
  await dialog(page).locator('.ant-btn-primary').click()
  await dialog(page).getByRole('alert').last().waitFor()
  assert.equal(await dialog(page).getByRole('textbox').inputValue(), 'all is well again')
  await dialog(page).getByRole('button', { name: 'Cancel' }).click()
  await dialog(page).waitFor({ state: 'detached' })
  await done(page)
})

story('an approval from a phone, by another person than who asked', async () => {
  await world.person('zhang.min', 'release-manager')
  const policy = 'approvals: { count: 1 }\n'
  await world.policy('production', policy)
  const customers = shop.customers()
  try {
    await shop.push('A checkout that needs a second look', 0, false)
    const page = await world.signedIn('zhang.min', { lang: 'zh', width: 390, height: 780 })
    await page.goto('/services/storefront')
    await page.getByRole('link', { name: /\u7b49\u5f85\u4e2d/ }).tap()
    await page.waitForURL(/\/rollouts\//)
    await page.getByRole('button', { name: '\u6279\u51c6' }).first().tap()
    await dialog(page).getByRole('textbox').fill('\u5df2\u770b\u8fc7')
    await dialog(page).locator('.ant-btn-primary').tap()
    await page.getByText('\u5df2\u5b8c\u6210').first().waitFor({ timeout: 180_000 })
    await done(page)
  } finally {
    await customers.stop()
    await world.run('policy', 'clear', 'production', '--reason', 'the trial is over')
  }
})

story('the server goes away: the page says so, and goes on by itself when it is back', async () => {
  const page = await world.owner()
  await settled(page)
  world.stopServer()
  await page.getByText('The connection to the server broke').waitFor()
  world.startServer()
  await page.getByText('The connection to the server broke').waitFor({ state: 'detached' })
  await world.run('freeze', '--all', '--reason', 'after the break')
  await page.getByRole('link', { name: /after the break/ }).waitFor()
  await world.run('unfreeze', '--all', '--reason', 'over')
  await page.context().close()
})

story('a second factor is set up, asked for, and a recovery code stands in for it', async () => {
  await world.person('chen.jie', 'developer')
  const page = await world.signedIn('chen.jie', { lang: 'zh' })
  await page.goto('/account')
  await page.getByRole('button', { name: '\u542f\u7528\u4e24\u6b65\u9a8c\u8bc1' }).click()
  const uri = await page.locator('a[href^="otpauth:"]').getAttribute('href')
  const secret = new URL(uri).searchParams.get('secret')
  await page.getByPlaceholder('000000').fill(totp(secret))
  await page.locator('input[type=password]').last().fill(PASSWORD)
  await page.locator('.factor-form button').click()
  const codes = (await page.locator('.once code', { hasText: '-' }).innerText()).split(/\s+/)
  assert.ok(codes.length >= 8, 'recovery codes are shown')
  await page.context().close()

  const again = await world.visitor()
  await again.goto('/login')
  await again.getByLabel('Name').fill('chen.jie')
  await again.getByLabel('Password').fill(PASSWORD)
  await again.getByRole('button', { name: 'Sign in' }).click()
  const code = again.getByLabel(/Code of your second factor/)
  await code.waitFor()
  await code.fill('000000')
  await again.getByRole('button', { name: 'Sign in' }).click()
  await again.getByRole('alert').waitFor()
  await code.fill(codes[0])
  await again.getByRole('button', { name: 'Sign in' }).click()
  await again.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await again.context().close()
})

story('an expired session leads to the door and back to where one was', async () => {
  const page = await world.signedIn('zhang.min', {})
  await page.goto('/services/storefront?tab=runs')
  await settled(page)
  await page.context().clearCookies()
  await page.goto('/services/storefront?tab=runs')
  await page.waitForURL(/\/login/)
  await page.getByLabel('Name').fill('zhang.min')
  await page.getByLabel('Password').fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(/\/services\/storefront\?tab=runs/)
  await page.context().close()
})
