import { build, install, main } from './steps.mjs'

const USAGE = 'npm run build: dist/ from src/, if anything changed'

await main(async () => {
  await install()
  await build()
}, USAGE)
