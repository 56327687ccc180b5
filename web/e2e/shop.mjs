// A small shop of two files, with customers: enough for a canary to be judged by.
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'

const SPEC = (name, strategy) => `version: 1
service: ${name}
kind: web
run:
  command: [python3, -u, serve.py]
  health: { http: /healthz, interval: 300ms }
  start_timeout: 20s
  stop: { drain: 1s, grace: 5s }
  instances: 1
strategy: ${strategy}
environments:
  production: { branch: main, route: { hosts: [${name}.example.com] } }
`
// FAILING of ten requests end badly.
const SERVE = (title, failing) => `# ${title}
import itertools, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
FAILING = ${failing}
count = itertools.count()
class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        bad = self.path != "/healthz" and next(count) % 10 < FAILING
        body = b"no such order\\n" if bad else b"welcome\\n"
        self.send_response(500 if bad else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
print("<b>serving</b> \\x1b[31mred\\x1b[0m", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
`
const CANARY =
  '{ type: canary, steps: [{ share: 50%, min: 2s }, 100%], min: 2s, max: 10m, watch: 1s, judge: { warmup: 1s, latency: [3s] }, limits: { error_rate: none, p99: none } }'

export class Shop {
  constructor(world, name) {
    this.world = world
    this.name = name
    this.folder = join(world.folder, name)
  }

  static async open(world, name, strategy = CANARY) {
    const shop = new Shop(world, name)
    await mkdir(shop.folder)
    await shop.git('init', '-q', '-b', 'main')
    await shop.git('config', 'user.email', 'li.wei@example.com')
    await shop.git('config', 'user.name', 'Li Wei')
    await writeFile(join(shop.folder, 'tradewind.yaml'), SPEC(name, strategy))
    await writeFile(join(shop.folder, '.gitlab-ci.yml'), 'check: { script: [python3 -m py_compile serve.py] }\n')
    await shop.push('Open the shop', 0)
    return shop
  }

  git(...args) {
    return promisify(execFile)('git', ['-C', this.folder, ...args], { env: this.world.env })
  }

  /** A commit, built and on its way; `wait`: live. */
  async push(title, failing, wait = true) {
    await writeFile(join(this.folder, 'serve.py'), SERVE(title, failing))
    await this.git('add', '-A')
    await this.git('commit', '-q', '-m', title)
    this.world.cwd = this.folder
    try {
      await this.world.run('push', this.name, ...(wait ? ['--wait'] : []))
    } finally {
      this.world.cwd = undefined
    }
  }

  /** A commit whose build fails. */
  async broken(title) {
    await writeFile(join(this.folder, 'serve.py'), 'def serve(:\n')
    await this.git('commit', '-q', '-a', '-m', title)
    this.world.cwd = this.folder
    try {
      await this.world.run('push', this.name)
    } finally {
      this.world.cwd = undefined
    }
  }

  /** New customers, one after another, until it is told to stop; what they were answered. */
  customers() {
    const seen = { good: 0, bad: 0 }
    let over = false
    const [host, port] = this.world.edge.split(':')
    const one = () =>
      new Promise((done) => {
        const asked = request({ host, port, path: '/', headers: { host: `${this.name}.example.com`, connection: 'close' } }, (answer) => {
          answer.resume()
          answer.on('end', () => done(answer.statusCode < 500))
        })
        asked.on('error', () => done(false))
        asked.end()
      })
    const going = (async () => {
      while (!over) {
        if (await one()) seen.good++
        else seen.bad++
        await new Promise((next) => setTimeout(next, 20))
      }
    })()
    return {
      seen,
      stop: async () => {
        over = true
        await going
        return seen
      },
    }
  }
}
