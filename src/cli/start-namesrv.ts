/** A name server on this machine's disk, clock and network. */
import { systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { Namesrv } from '../namesrv/namesrv.ts'
import type { NamesrvOptions } from '../namesrv/options.ts'
import { nodeTextFiles } from '../namesrv/text-files.ts'

/** @throws `REMOTING_LISTEN_FAILED`, `NAMESRV_KV_UNREADABLE`. */
export async function startNamesrv(options: NamesrvOptions, log: Log): Promise<Namesrv> {
  const namesrv = new Namesrv({ options, files: nodeTextFiles, clock: systemClock, log })
  await namesrv.start()
  return namesrv
}
