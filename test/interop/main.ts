import { startStock } from './support/stock.ts'
import { recordGolden } from './tools/record-golden.ts'

const [verb = 'run', ...rest] = process.argv.slice(2)

/** Keeps a stock name server and broker up until Ctrl-C: `serve [namesrv port] [broker port]`. */
async function serve([namesrvPort, brokerPort]: readonly string[]): Promise<void> {
  const stock = await startStock({
    ...(namesrvPort === undefined ? {} : { namesrvPort: Number(namesrvPort) }),
    ...(brokerPort === undefined ? {} : { brokerPort: Number(brokerPort) }),
  })
  console.log(`stock RocketMQ is up: name server ${stock.namesrv}`)
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  await stock.close()
}

if (verb === 'record') await recordGolden()
else if (verb === 'serve') await serve(rest)
