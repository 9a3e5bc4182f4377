/**
 * `node faulty-broker.js -c FILE [--faults JSON]`: one broker node as `raftmq broker` starts it, on a disk that can be
 * broken. Over the IPC channel `{"type":"disk","faults":[…]}` replaces its faults; the same message comes back once they
 * hold.
 */
import { parseArgs } from 'node:util'
import { readBrokerOptions } from '../src/broker/options.ts'
import { runBrokerProcess } from '../src/cli/broker-process.ts'
import { thisMachine } from '../src/cli/machine.ts'
import { readPropertiesFile } from '../src/cli/properties-file.ts'
import { systemClock } from '../src/lib/clock.ts'
import { nodeFileSystem } from '../src/store/node-file-system.ts'
import { type DiskFault, FaultyDisk, isDiskMessage } from './faulty-file-system.ts'

const { values } = parseArgs({ options: { config: { type: 'string', short: 'c' }, faults: { type: 'string' } } })
const disk = new FaultyDisk(nodeFileSystem, systemClock)
// Whoever experiments writes the list as this type.
const atFirst: readonly DiskFault[] = JSON.parse(values.faults ?? '[]')
disk.set(atFirst)
process.on('message', (message: unknown) => {
  if (!isDiskMessage(message)) return
  disk.set(message.faults)
  process.send?.(message)
})
const properties = readPropertiesFile(values.config ?? '', () => true)
await runBrokerProcess(readBrokerOptions(properties, thisMachine()), { verbose: false, disk })
