// A real server in a folder of its own, its command line, and a browser.
import { execFile, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
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
  static async start() {
    const world = new World()
    world.folder = await mkdtemp(join(tmpdir(), 'tw-console-'))
    // Jobs are other users, and have to come through.
    await chmod(world.folder, 0o711)
    world.home = join(world.folder, 'home')
    world.data = join(world.folder, 'data')
    await mkdir(world.home)
    const [api, edge] = [await freePort(), await freePort()]
    world.url = `http://127.0.0.1:${api}`
    world.edge = `127.0.0.1:${edge}`
    await world.up(api, edge)
    world.browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    return world
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
    const page = await context.newPage()
    page.complaints = []
    page.on('pageerror', (error) => page.complaints.push(String(error)))
    page.on('console', (message) => {
      // What was refused is shown on the page itself.
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) page.complaints.push(message.text())
    })
    return page
  }

  /** The same, signed in by a link of the command line. */
  async owner(options) {
    const page = await this.visitor(options)
    const { url } = await this.ask('console')
    await page.goto(url)
    await page.waitForURL((at) => !at.pathname.startsWith('/enter'))
    return page
  }

  async end() {
    await this.browser?.close()
    await this.run('down', '--data', this.data).catch(() => {})
    this.supervisor?.kill('SIGKILL')
    await rm(this.folder, { recursive: true, force: true })
  }
}
