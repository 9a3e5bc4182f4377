/** Name servers on this machine's disk, clock and network. */
import { join } from 'node:path'
import { systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { Namesrv } from '../namesrv/namesrv.ts'
import { readNamesrvOptions, type NamesrvOptions } from '../namesrv/options.ts'
import { nodeTextFiles } from '../namesrv/text-files.ts'
import { HOST } from './cluster-plan.ts'

/** @throws `REMOTING_LISTEN_FAILED`, `NAMESRV_KV_UNREADABLE`. */
export async function startNamesrv(options: NamesrvOptions, log: Log): Promise<Namesrv> {
  const namesrv = new Namesrv({ options, files: nodeTextFiles, clock: systemClock, log })
  await namesrv.start()
  return namesrv
}

/** The name server of a local cluster, whose files lie beside the nodes in `dir`. Port 0: any free one. */
export function localNamesrvOptions(dir: string, port: number): NamesrvOptions {
  const folder = join(dir, 'namesrv')
  const values = { listenPort: port, bindAddress: HOST, kvConfigPath: join(folder, 'kvConfig.json') }
  const entries = Object.entries(values).map(([key, value]) => ({ key, value: String(value), line: 0 }))
  const configFile = join(folder, 'namesrv.properties')
  return readNamesrvOptions({ source: 'local cluster', entries }, { homeFolder: folder, configFile }).options
}
