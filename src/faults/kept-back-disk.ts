/**
 * A disk that keeps back what was not synced: writes stay in this process's memory until the file's `fdatasync`, so that
 * `kill -9` loses them as a power cut does. The process itself reads them as if they were there.
 *
 * What it proves: nothing that was claimed depended on bytes that were not synced. What it does not: names are made,
 * changed and removed at once, and a write is lost whole, never torn (the simulator does both).
 */
import type { FileSystem, OpenFile, OpenMode } from '../store/file-system.ts'

type Held =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'cut'; readonly length: number }

/** What one file is to become, in order. */
interface Overlay {
  held: Held[]
  syncing: Promise<void>
}

export class KeptBackDisk implements FileSystem {
  readonly #disk: FileSystem
  readonly #overlays = new Map<string, Overlay>()

  constructor(disk: FileSystem) {
    this.#disk = disk
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    const file = await this.#disk.open(path, mode)
    return this.#wrap(file, path)
  }

  mkdir(path: string): Promise<void> {
    return this.#disk.mkdir(path)
  }

  readSync(path: string, target: Uint8Array, position: number): number {
    const got = this.#disk.readSync(path, target, position)
    return laidOver(this.#overlays.get(path)?.held ?? [], target, position, got)
  }

  readdir(path: string): Promise<string[]> {
    return this.#disk.readdir(path)
  }

  async stat(path: string): Promise<{ readonly size: number; readonly isFolder: boolean } | undefined> {
    const found = await this.#disk.stat(path)
    if (found === undefined || found.isFolder) return found
    return { ...found, size: sizeWith(this.#overlays.get(path)?.held ?? [], found.size) }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#disk.rename(from, to)
    const overlay = this.#overlays.get(from)
    this.#overlays.delete(from)
    this.#overlays.delete(to)
    if (overlay !== undefined) this.#overlays.set(to, overlay)
  }

  async unlink(path: string): Promise<void> {
    await this.#disk.unlink(path)
    this.#overlays.delete(path)
  }

  async removeFolder(path: string): Promise<void> {
    await this.#disk.removeFolder(path)
    for (const file of this.#overlays.keys()) if (file.startsWith(`${path}/`)) this.#overlays.delete(file)
  }

  fsyncFolder(path: string): Promise<void> {
    return this.#disk.fsyncFolder(path)
  }

  space(path: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    return this.#disk.space(path)
  }

  #wrap(file: OpenFile, path: string): OpenFile {
    const overlay = (): Overlay => {
      let found = this.#overlays.get(path)
      if (found === undefined) this.#overlays.set(path, (found = { held: [], syncing: Promise.resolve() }))
      return found
    }
    return {
      pread: async (target, position) => {
        const got = await file.pread(target, position)
        return laidOver(overlay().held, target, position, got)
      },
      writev: (buffers, position) => {
        // The caller may use its buffers again once this resolves.
        overlay().held.push({ kind: 'write', position, bytes: Buffer.concat(buffers) })
        return Promise.resolve()
      },
      writevDurable: async (buffers, position) => {
        const { held } = overlay()
        // Laid over what was held before, which these bytes come after.
        if (held.length > 0) held.push({ kind: 'write', position, bytes: Buffer.concat(buffers) })
        await file.writevDurable(buffers, position)
      },
      fdatasync: () => {
        const on = overlay()
        on.syncing = on.syncing.then(() => letGo(on, file))
        return on.syncing
      },
      truncate: (length) => {
        overlay().held.push({ kind: 'cut', length })
        return Promise.resolve()
      },
      size: async () => sizeWith(overlay().held, await file.size()),
      close: () => file.close(),
    }
  }
}

async function letGo(overlay: Overlay, file: OpenFile): Promise<void> {
  const going = [...overlay.held]
  for (const held of going) {
    if (held.kind === 'cut') await file.truncate(held.length)
    else await file.writev([held.bytes], held.position)
  }
  await file.fdatasync()
  overlay.held = overlay.held.slice(going.length)
}

/** Lays what is held over `got` bytes that were read at `position`; returns how many there are then. */
function laidOver(all: readonly Held[], target: Uint8Array, position: number, got: number): number {
  let end = got
  for (const held of all) {
    if (held.kind === 'cut') {
      const cutAt = Math.min(target.length, Math.max(0, held.length - position))
      if (cutAt > end) target.fill(0, end, cutAt)
      end = cutAt
      continue
    }
    const from = Math.max(held.position, position)
    const to = Math.min(held.position + held.bytes.length, position + target.length)
    if (from >= to) continue
    // What lies between the end of the file and a write beyond it reads as zeros.
    if (from - position > end) target.fill(0, end, from - position)
    target.set(held.bytes.subarray(from - held.position, to - held.position), from - position)
    end = Math.max(end, to - position)
  }
  return end
}

function sizeWith(all: readonly Held[], size: number): number {
  let end = size
  for (const held of all) end = held.kind === 'cut' ? held.length : Math.max(end, held.position + held.bytes.length)
  return end
}
