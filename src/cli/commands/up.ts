import { Option, type Command } from 'commander'
import { systemClock } from '../../lib/clock.ts'
import { describeCluster, describeClusterJson, overruledBy } from '../cluster-report.ts'
import { startLocalCluster, type LocalCluster } from '../local-cluster.ts'
import { integerArgument } from '../arguments.ts'
import { MAX_BROKERS, MAX_NODES } from '../cluster-plan.ts'
import { stopSignal } from '../stop-signal.ts'

interface UpFlags {
  readonly nodes?: number
  readonly brokers?: number
  readonly dir: string
  readonly namesrvPort: number
  readonly port: number
  readonly flush?: 'sync' | 'async'
  readonly replication?: 'sync' | 'async'
  readonly restart: boolean
  readonly json?: boolean
}

export function register(program: Command): void {
  program
    .command('up')
    .summary('start a local cluster: a name server and groups of broker nodes')
    .description(
      'Starts a cluster on this machine: a name server in this process and every broker node in a process of its own, ' +
        'on 127.0.0.1. Ctrl-C stops it; started again in the same folder, it has its data. The first client port is ' +
        '--port, the next node of a group is 10 further, the next group 100; peers connect to the port after it.',
    )
    .option(
      '--nodes <n>',
      'nodes of a group; 1 is a single broker (default: as in the folder, else 3)',
      integerArgument(1, MAX_NODES),
    )
    .option('--brokers <n>', 'broker groups (default: as in the folder, else 1)', integerArgument(1, MAX_BROKERS))
    .option('--dir <dir>', 'folder of all data', '.raftmq')
    .option('--namesrv-port <port>', 'port of the name server', integerArgument(1, 65_535), 9876)
    .option('--port <port>', 'first client port', integerArgument(1, 65_535), 10_911)
    .addOption(
      new Option('--flush <mode>', 'of a new group: whether a write counts once it is on disk (default: sync)').choices(
        ['sync', 'async'],
      ),
    )
    .addOption(
      new Option('--replication <mode>', 'of a new group: whether a send waits for a majority (default: sync)').choices(
        ['sync', 'async'],
      ),
    )
    .option('--no-restart', 'leave a node that dies dead')
    .option('--json', 'print exactly one line of JSON, when ready for traffic')
    .action(async (flags: UpFlags) => run(flags, program.opts()['verbose'] === true))
}

async function run(flags: UpFlags, verbose: boolean): Promise<void> {
  const { json = false } = flags
  const say = (line: string): void => {
    const stream = json ? process.stderr : process.stdout
    stream.write(`${line}\n`)
  }
  let cluster: LocalCluster | undefined
  const signal = stopSignal({ onForce: () => cluster?.kill() })
  cluster = await startLocalCluster(
    {
      ...flags,
      nodes: flags.nodes,
      brokers: flags.brokers,
      flush: flags.flush,
      replication: flags.replication,
      verbose,
    },
    { clock: systemClock, say },
  )
  try {
    const stopped = await Promise.race([cluster.ready, signal.asked])
    if (stopped === undefined) {
      for (const warning of overruledBy(cluster, flags)) process.stderr.write(`warning: ${warning}\n`)
      process.stdout.write(json ? `${describeClusterJson(cluster)}\n` : describeCluster(cluster))
      await signal.asked
    }
    if (!json) say('Stopping (Ctrl-C again to force)')
  } finally {
    await cluster.stop()
  }
}
