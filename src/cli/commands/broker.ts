import type { Command } from 'commander'
import { knowledgeOf, otherKeys, readBrokerOptions } from '../../broker/options/options.ts'
import { override } from '../../lib/properties.ts'
import { describeOptions } from '../option-report.ts'
import { readPropertiesFile } from '../properties-file.ts'
import { thisMachine } from '../machine.ts'

interface BrokerFlags {
  readonly configFile: string
  readonly namesrvAddr?: string
  readonly printConfig?: boolean
}

export function register(program: Command): void {
  program
    .command('broker')
    .summary('start a broker node from a RocketMQ .properties file')
    .description(
      'Starts one broker node from a RocketMQ .properties file: a member of a Raft group with enableDLegerCommitLog=true, ' +
        'otherwise a master or a slave (brokerRole). Ctrl-C or SIGTERM stops it cleanly.',
    )
    .requiredOption('-c, --configFile <file>', 'the .properties file')
    .option('-n, --namesrvAddr <addresses>', 'name servers, host:port with ";" between them; wins over the file')
    .option('-p, --printConfig', 'print every key with its value and what becomes of it, and start nothing')
    .action(async (flags: BrokerFlags) => run(flags, program.opts()['verbose'] === true))
}

async function run(flags: BrokerFlags, verbose: boolean): Promise<void> {
  const file = readPropertiesFile(flags.configFile, (key) => knowledgeOf(key).class !== 'unknown')
  const properties = flags.namesrvAddr === undefined ? file : override(file, 'namesrvAddr', flags.namesrvAddr)
  const configuration = readBrokerOptions(properties, thisMachine())
  if (flags.printConfig === true) {
    const { effective } = configuration
    process.stdout.write(describeOptions({ effective, others: otherKeys(), knowledgeOf, said: properties }))
    return
  }
  const { runBrokerProcess } = await import('../broker-process.ts')
  await runBrokerProcess(configuration, { verbose })
}
