import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

// In development: `npm run dev` beside a server, by default the one that `make demo KEEP=1` leaves running.
const server = process.env['TRADEWIND_SERVER'] ?? 'http://127.0.0.1:8400'

/** antd locks scrolling by a style sheet without the page's nonce, and offers no way to give it one. */
const scrollLock: Plugin = {
  name: 'scroll-lock',
  enforce: 'pre',
  resolveId: (id, from) =>
    /\/useScrollLocker(\.js)?$/.test(id) && from?.includes('/@rc-component/portal/')
      ? fileURLToPath(new URL('src/parts/scroll-lock.ts', import.meta.url))
      : null,
}

export default defineConfig({
  plugins: [scrollLock, react()],
  build: { target: 'es2022', manifest: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1500 },
  server: { proxy: Object.fromEntries(['/api', '/healthz', '/help'].map((path) => [path, { target: server }])) },
})
