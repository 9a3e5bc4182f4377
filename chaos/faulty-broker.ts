/**
 * `node faulty-broker.js -c FILE [--faults JSON] [--keep-back]`: one broker node as `raftmq broker` starts it, on a disk
 * that can be broken, and that keeps back what was not synced if told so. Over the IPC channel `{"type":"disk","faults":[…]}` replaces its faults; the same message comes back once they
 * hold.
 */
import { parseArgs } from 'node:util'
import { readBrokerOptions } from '../src/broker/options/options.ts'
import { runBrokerProcess } from '../src/cli/broker-process.ts'
import { thisMachine } from '../src/cli/machine.ts'
import { readPropertiesFile } from '../src/cli/properties-file.ts'
import { systemClock } from '../src/lib/clock.ts'
import { nodeFileSystem } from '../src/store/node-file-system.ts'
import { type DiskFault, FaultyDisk, isDiskMessage } from './faulty-file-system.ts'
import { KeptBackDisk } from './kept-back-disk.ts'

const { values } = parseArgs({
  options: { config: { type: 'string', short: 'c' }, faults: { type: 'string' }, 'keep-back': { type: 'boolean' } },
})
const machine = values['keep-back'] === true ? new KeptBackDisk(nodeFileSystem) : nodeFileSystem
const disk = new FaultyDisk(machine, systemClock)
// Whoever experiments writes the list as this type.
const atFirst: readonly DiskFault[] = JSON.parse(values.faults ?? '[]')
disk.set(atFirst)
process.on('message', (message: unknown) => {
  if (!isDiskMessage(message)) return
  disk.set(message.faults)
  process.send?.(message)
})
const properties = readPropertiesFile(values.config ?? '', () => true)
// A node whose unsynced writes are gone ran on a machine that lost its power: it comes back on one that was started since.
const power = values['keep-back'] === true ? { bootId: () => `${process.pid}-${systemClock.nowMs()}` } : {}
await runBrokerProcess(readBrokerOptions(properties, thisMachine()), {
  verbose: false,
  machine: { fileSystem: disk, ...power },
})
