// Pictures of every page: both languages, both looks, and a phone. `node e2e/screenshots.mjs [FOLDER]`
import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pages, settled } from './pages.mjs'
import { Shop } from './shop.mjs'
import { World } from './world.mjs'

const LOOKS = [
  { lang: 'zh', look: 'light', width: 1440 },
  { lang: 'en', look: 'dark', width: 1440 },
  { lang: 'en', look: 'light', width: 1440 },
  { lang: 'zh', look: 'dark', width: 1440 },
  { lang: 'zh', look: 'dark', width: 390 },
  { lang: 'en', look: 'light', width: 390 },
]
const folder = resolve(process.argv[2] ?? 'screenshots')
await rm(folder, { recursive: true, force: true })
await mkdir(folder, { recursive: true })

const world = await World.start()
try {
  const empty = await world.owner({ lang: 'zh' })
  await settled(empty)
  await empty.screenshot({ path: join(folder, 'overview-empty-zh-light-1280.png'), fullPage: true })
  await empty.context().close()

  const shop = await Shop.open(world, 'storefront')
  await world.site('help-center')
  await world.person('wang.fang', 'viewer')
  await world.person('zhang.min', 'release-manager')
  const customers = shop.customers()
  await shop.push('A faster checkout', 0)
  await shop.push('Try a new checkout', 5).catch(() => {}) // It is taken back: that is what is to be seen.
  await shop.broken('Break the build').catch(() => {})
  await customers.stop()
  await world.run('freeze', 'storefront', '--reason', '11.11')
  await world.secret('PAYMENT_KEY', 'production', 'a secret value')
  const rollouts = (await world.ask('rollout', 'list', 'storefront')).items
  const runs = (await world.ask('run', 'list', 'storefront')).items
  const of = (list, key, value) => list.find((one) => one[key] === value)?.id
  const shown = pages({
    service: 'storefront',
    rollouts: { failed: of(rollouts, 'phase', 'failed'), completed: of(rollouts, 'phase', 'completed') },
    runs: { failed: of(runs, 'state', 'failed'), good: of(runs, 'state', 'success') },
  })

  for (const { lang, look, width } of LOOKS) {
    const page = await world.owner({ lang, look, width, height: width < 600 ? 844 : 900 })
    const take = async (name, path) => {
      await page.goto(path)
      await settled(page)
      // A graph's line and a log's rows come after the frame.
      await page.waitForTimeout(400)
      await page.screenshot({ path: join(folder, `${name}-${lang}-${look}-${width}.png`), fullPage: true })
    }
    for (const [name, path] of shown) await take(name, path)
    await page.goto('/')
    await settled(page)
    await page.keyboard.press('Control+k')
    await page.locator('input[aria-controls=commands]').fill('storefront')
    await page.waitForTimeout(600)
    await page.screenshot({ path: join(folder, `commands-${lang}-${look}-${width}.png`) })
    await page.context().close()
  }
  const door = await world.visitor({ lang: 'zh' })
  await door.goto('/login')
  await settled(door)
  await door.screenshot({ path: join(folder, 'login-zh-light-1280.png') })
  console.log(folder)
} finally {
  await world.end()
}
