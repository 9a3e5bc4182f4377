// npm run bench -- NAME [arguments]: the measurement bench/NAME.ts; without a name, what there is.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { build, buildDev, install, main, root, runNode } from './steps.mjs'

await main(async ([name, ...args]) => {
  const names = readdirSync(join(root, 'bench'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3))
  if (name === undefined || !names.includes(name)) {
    console.log(`npm run bench -- NAME, of ${names.join(', ')}`)
    return name === undefined ? 0 : 1
  }
  await install()
  await build()
  await buildDev()
  return runNode(join(root, 'dist-dev/bench', `${name}.js`), args)
})
