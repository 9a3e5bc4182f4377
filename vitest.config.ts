import { defineConfig } from 'vitest/config'

export default defineConfig({
  // The examples import the package; its sources are meant.
  resolve: { alias: { 'raftmq/client': new URL('src/client/index.ts', import.meta.url).pathname } },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'node_modules/**'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary', 'html'] },
  },
})
