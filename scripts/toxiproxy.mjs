import { installToxiproxy, main, summary } from './steps.mjs'

const USAGE = 'node scripts/toxiproxy.mjs: the real Toxiproxy for the chaos suite and its tests, where there is a Go'

await main(async () => {
  const isThere = await installToxiproxy()
  console.log(summary({ passed: isThere ? 1 : 0, failed: 0, skipped: isThere ? 0 : 1 }))
  return 0
}, USAGE)
