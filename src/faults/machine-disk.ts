import type { Clock } from '../lib/clock.ts'
import { nodeFileSystem } from '../store/node-file-system.ts'
import { FaultyDisk } from './faulty-disk.ts'
import { KeptBackDisk } from './kept-back-disk.ts'

/** This machine's disk behind one that can be broken; with `keepsBack`, what was not synced stays in this process. */
export function machineDisk({ clock, keepsBack }: { readonly clock: Clock; readonly keepsBack: boolean }): FaultyDisk {
  return new FaultyDisk(keepsBack ? new KeptBackDisk(nodeFileSystem) : nodeFileSystem, clock)
}
