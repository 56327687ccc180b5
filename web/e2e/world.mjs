// A real server in a folder of its own, its command line, and a browser.
import { execFile, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'

const here = dirname(new URL(import.meta.url).pathname)
const BIN = resolve(process.env.TRADEWIND_BIN ?? join(here, '../../target/debug/tradewind'))
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
export const PASSWORD = 'four words in a row'
/** How long anything may take before it is said to hang. */
export const HANG = Number(process.env.HANG_MS ?? 60_000)

const freePort = () =>
  new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })

export class World {
  /** Pages that are open. */
  visitors = new Set()

  static async start() {
    const world = new World()
    await world.start()
    return world
  }

  async start() {
    this.folder = await mkdtemp(join(tmpdir(), 'tw-console-'))
    // Jobs are other users, and have to come through.
    await chmod(this.folder, 0o711)
    this.home = join(this.folder, 'home')
    this.data = join(this.folder, 'data')
    await mkdir(this.home)
    const [api, edge] = [await freePort(), await freePort()]
    this.url = `http://127.0.0.1:${api}`
    this.edge = `127.0.0.1:${edge}`
    await this.up(api, edge)
    this.browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  }

  get env() {
    const own = Object.entries(process.env).filter(([name]) => !/^(TRADEWIND_|GIT_|XDG_CONFIG)/.test(name))
    return { ...Object.fromEntries(own), HOME: this.home, TRADEWIND_LANG: 'en', GIT_CONFIG_NOSYSTEM: '1', PATH: `${dirname(BIN)}:${process.env.PATH}` }
  }

  async up(api, edge) {
    const args = ['up', '--data', this.data, '--listen', `127.0.0.1:${api}`, '--edge', `127.0.0.1:${edge}`]
    if (process.getuid() !== 0) args.push('--insecure-same-user')
    this.supervisor = spawn(BIN, args, { env: this.env, stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: this.supervisor.stdout })
    const login = await new Promise((done, fail) => {
      const said = []
      lines.on('line', (line) => {
        said.push(line)
        this.server ??= Number(line.match(/\(server, pid (\d+)\)/)?.[1]) || undefined
        const words = line.trim().match(/^tradewind login (.*)$/)
        if (words) done(words[1].split(/\s+/))
      })
      this.supervisor.on('exit', () => fail(new Error(`tradewind up ended:\n${said.join('\n')}`)))
    })
    await this.run('login', ...login)
  }

  /** A verb of the command line; what it wrote. */
  async run(...args) {
    const { stdout } = await promisify(execFile)(BIN, args, { env: this.env, cwd: this.cwd ?? this.home, timeout: 2 * HANG })
    return stdout
  }

  async ask(...args) {
    return JSON.parse(await this.run(...args, '--json'))
  }

  /** A person with a role, and their password. */
  async person(handle, role) {
    const email = `${handle}@example.com`
    const { code } = await this.ask('user', 'invite', handle, email, '--role', role)
    const answer = await fetch(`${this.url}/api/v1/invitations/accept`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, email, password: PASSWORD }),
    })
    if (!answer.ok) throw new Error(await answer.text())
  }

  /** A site of one page, pushed and live. */
  async site(name) {
    const folder = join(this.folder, name)
    await mkdir(folder)
    await writeFile(join(folder, 'index.html'), `<!doctype html><title>${name}</title><h1>${name}</h1>\n`)
    const git = (...args) => promisify(execFile)('git', ['-C', folder, ...args], { env: this.env })
    await git('init', '-q', '-b', 'main')
    await git('config', 'user.email', 'li.wei@example.com')
    await git('config', 'user.name', 'Li Wei')
    this.cwd = folder
    try {
      await this.run('init', '--service', name)
      await git('add', '-A')
      await git('commit', '-q', '-m', 'Open the shop')
      await this.run('push', name, '--wait')
    } finally {
      this.cwd = undefined
    }
    return folder
  }

  /** A browser of its own, whose page must not complain. */
  async visitor({ lang = 'en', look = 'light', width = 1280, height = 900 } = {}) {
    const context = await this.browser.newContext({
      baseURL: this.url,
      locale: lang === 'zh' ? 'zh-CN' : 'en-GB',
      colorScheme: look,
      viewport: { width, height },
      hasTouch: width < 600,
    })
    context.setDefaultTimeout(HANG)
    if (process.env.CONSOLE_DIST) await this.serve(context, resolve(process.env.CONSOLE_DIST))
    const page = await context.newPage()
    page.complaints = []
    this.visitors.add(page)
    page.on('close', () => this.visitors.delete(page))
    page.refused = []
    page.on('response', (answer) => {
      const { pathname } = new URL(answer.url())
      if (answer.status() >= 400 && pathname.startsWith('/api/')) page.refused.push(`${answer.status()} ${pathname}`)
    })
    page.on('pageerror', (error) => page.complaints.push(String(error)))
    page.on('console', (message) => {
      // What was refused is shown on the page itself.
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) page.complaints.push(message.text())
    })
    return page
  }

  /** The console as it was built last, in the place of the one the program carries: no program to build for a change of it. */
  async serve(context, dist) {
    const types = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }
    await context.route(/^[^?#]*\/assets\/[^?#]+$/, (route) => {
      const { pathname } = new URL(route.request().url())
      return route.fulfill({ path: join(dist, pathname), contentType: types[pathname.split('.').pop()] })
    })
    await context.route((url) => !/^\/(api|assets|healthz|help|git|mark)\b/.test(url.pathname), async (route) => {
      const real = await route.fetch()
      const nonce = real.headers()['content-security-policy']?.match(/'nonce-([^']+)'/)?.[1]
      if (nonce === undefined) return route.fulfill({ response: real })
      const page = await readFile(join(dist, 'index.html'), 'utf8')
      await route.fulfill({ response: real, body: page.replaceAll('__NONCE__', nonce) })
    })
  }

  /** The same, signed in by a link of the command line. */
  async owner(options) {
    const page = await this.visitor(options)
    const { url } = await this.ask('console')
    await page.goto(url)
    await page.locator('.shell-main h1').first().waitFor()
    return page
  }

  /** The server dies, and nobody starts it again until `startServer`. */
  stopServer() {
    this.supervisor.kill('SIGSTOP')
    process.kill(this.server, 'SIGKILL')
  }

  startServer() {
    this.supervisor.kill('SIGCONT')
  }

  /** Signed in with a password. */
  async signedIn(handle, options) {
    const page = await this.visitor(options)
    await page.goto('/login')
    await page.locator('input[autocomplete=username]').fill(handle)
    await page.locator('input[type=password]').fill(PASSWORD)
    await page.locator('button[type=submit]').click()
    await page.locator('.shell-main h1').first().waitFor()
    return page
  }

  /** What an environment demands. */
  async policy(env, text) {
    const file = join(this.folder, `${env}.yaml`)
    await writeFile(file, text)
    await this.run('policy', 'set', env, '--file', file, '--reason', 'a trial')
  }

  /** Its value goes in by standard input, as nothing else is accepted. */
  async secret(name, env, value) {
    const setting = promisify(execFile)(BIN, ['secret', 'set', name, '--env', env], { env: this.env, cwd: this.home, timeout: 2 * HANG })
    setting.child.stdin.end(value)
    await setting
  }

  /** A test whose open pages are kept as pictures where it fails, and closed. */
  story(name, tell) {
    return test(name, async () => {
      try {
        await tell()
      } catch (error) {
        const folder = await mkdtemp(join(tmpdir(), 'tw-console-failed-'))
        for (const [n, page] of [...this.visitors].entries()) await page.screenshot({ path: join(folder, `${n}.png`) }).catch(() => {})
        console.error(`"${name}" failed: ${folder}`)
        throw error
      } finally {
        for (const page of this.visitors) await page.context().close().catch(() => {})
      }
    })
  }

  async end() {
    await this.browser?.close()
    await this.run('down', '--data', this.data).catch(() => {})
    this.supervisor?.kill('SIGKILL')
    await rm(this.folder, { recursive: true, force: true })
  }
}
