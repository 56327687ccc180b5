import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// In development: `npm run dev` beside a server, by default the one that `make demo KEEP=1` leaves running.
const server = process.env['TRADEWIND_SERVER'] ?? 'http://127.0.0.1:8400'

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2022', manifest: true, assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1500 },
  server: { proxy: Object.fromEntries(['/api', '/healthz', '/help'].map((path) => [path, { target: server }])) },
})
