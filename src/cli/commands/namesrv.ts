import type { Command } from 'commander'
import type { Properties } from '../../lib/properties.ts'
import {
  formatNamesrvOptions,
  knowledgeOfNamesrvKey,
  otherNamesrvKeys,
  readNamesrvOptions,
} from '../../namesrv/options.ts'
import { describeOptions } from '../option-report.ts'
import { readPropertiesFile } from '../properties-file.ts'
import { pinoLog } from '../pino-log.ts'
import { startNamesrv } from '../start-namesrv.ts'
import { stopSignal } from '../stop-signal.ts'
import { thisMachine } from '../machine.ts'

interface NamesrvFlags {
  readonly configFile?: string
  readonly printConfigItem?: boolean
}

export function register(program: Command): void {
  program
    .command('namesrv')
    .summary('start a name server')
    .description('Starts one name server on port 9876, or as a .properties file with RocketMQ’s keys says.')
    .option('-c, --configFile <file>', 'the .properties file')
    .option('-p, --printConfigItem', 'print every key with its value and what becomes of it, and start nothing')
    .action(async (flags: NamesrvFlags) => run(flags, program.opts()['verbose'] === true))
}

async function run({ configFile, printConfigItem = false }: NamesrvFlags, verbose: boolean): Promise<void> {
  const properties: Properties =
    configFile === undefined
      ? { source: 'defaults', entries: [] }
      : readPropertiesFile(configFile, (key) => knowledgeOfNamesrvKey(key).class !== 'unknown')
  const { homeFolder } = thisMachine()
  const { options, warnings } = readNamesrvOptions(properties, { homeFolder, configFile })
  if (printConfigItem) {
    process.stdout.write(
      describeOptions({
        effective: formatNamesrvOptions(options),
        others: otherNamesrvKeys(),
        knowledgeOf: knowledgeOfNamesrvKey,
        said: properties,
      }),
    )
    return
  }
  const log = pinoLog({ verbose, isTerminal: process.stderr.isTTY })
  const signal = stopSignal()
  for (const warning of warnings) log.warn({}, warning)
  const namesrv = await startNamesrv(options, log)
  await signal.asked
  await namesrv.close()
  log.info({}, 'stopped')
  // What still holds the event loop (a client's half-open socket) must not hold the process.
  process.exit(0)
}
