/**
 * `node faulty-broker.js -c FILE [--faults JSON] [--keep-back]`: one broker node as `raftmq broker` starts it, on a disk
 * that can be broken, and that keeps back what was not synced if told so. Over the IPC channel
 * `{"type":"disk","faults":[…]}` replaces its faults, and `{"type":"clock","wrongByMs":…}` sets its wall clock; the same
 * message comes back once that holds.
 */
import { parseArgs } from 'node:util'
import { readBrokerOptions } from '../../broker/options/options.ts'
import { runBrokerProcess } from '../broker-process.ts'
import { thisMachine } from '../machine.ts'
import { readPropertiesFile } from '../properties-file.ts'
import { systemClock } from '../../lib/clock.ts'
import { type DiskFault, isDiskMessage } from '../../faults/faulty-disk.ts'
import { machineDisk } from '../../faults/machine-disk.ts'
import { isClockMessage, SkewedClock } from '../../faults/skewed-clock.ts'

const { values } = parseArgs({
  options: { config: { type: 'string', short: 'c' }, faults: { type: 'string' }, 'keep-back': { type: 'boolean' } },
})
const keepsBack = values['keep-back'] === true
const disk = machineDisk({ clock: systemClock, keepsBack })
// Whoever experiments writes the list as this type.
const atFirst: readonly DiskFault[] = JSON.parse(values.faults ?? '[]')
disk.set(atFirst)
const clock = new SkewedClock()
process.on('message', (message: unknown) => {
  if (isDiskMessage(message)) disk.set(message.faults)
  else if (isClockMessage(message)) clock.set(message.wrongByMs)
  else return
  process.send?.(message)
})
const properties = readPropertiesFile(values.config ?? '', () => true)
// A node whose unsynced writes are gone ran on a machine that lost its power: it comes back on one that was started since.
const power = keepsBack ? { bootId: () => `${process.pid}-${systemClock.nowMs()}` } : {}
await runBrokerProcess(readBrokerOptions(properties, thisMachine()), {
  verbose: false,
  machine: { fileSystem: disk, clock, ...power },
})
