/** The index files beside the segments: kept, loaded, removed; one at a time, so that a cut is never overtaken. */
import type { DescriptorPool } from './descriptor-pool.ts'
import { EntryPoints } from './entry-points.ts'
import { type FileSystem, readFile } from './file-system.ts'
import { scanFrames } from './frame-scan.ts'
import { type SegmentIndex, decodeSegmentIndex, encodeSegmentIndex } from './segment-index.ts'
import { type Segment, segmentName } from './segment.ts'

export interface SegmentIndexesNeeds {
  readonly fileSystem: FileSystem
  readonly folder: string
  readonly descriptors: DescriptorPool
  /** Segments whose points stay in memory, at most; the last one's always do. */
  readonly maxLoaded: number
}

export class SegmentIndexes {
  readonly #need: SegmentIndexesNeeds
  #work: Promise<void> = Promise.resolve()
  /** Segments with points in memory, in order of use, oldest first. */
  readonly #loaded = new Set<Segment>()

  constructor(need: SegmentIndexesNeeds) {
    this.#need = need
  }

  /** The index of the segment that begins at `offset`, if there is a sound one. */
  async read(offset: number): Promise<SegmentIndex | undefined> {
    const bytes = await readFile(this.#need.fileSystem, this.#path(offset))
    return bytes === undefined ? undefined : decodeSegmentIndex(bytes)
  }

  /** Writes what `make` tells, when its turn comes; nothing when that is undefined. */
  save(make: () => SegmentIndex | undefined): Promise<void> {
    return this.#inTurn(async () => {
      const index = make()
      if (index === undefined) return
      const { fileSystem } = this.#need
      const path = this.#path(index.start.offset)
      // Whole or not at all: a reader finds the old file until the new one is complete.
      const file = await fileSystem.open(`${path}.new`, 'create')
      try {
        const bytes = encodeSegmentIndex(index)
        await file.truncate(0)
        await file.writev([bytes], 0)
        await file.fdatasync()
      } finally {
        await file.close()
      }
      await fileSystem.rename(`${path}.new`, path)
    })
  }

  /** Removes the index files of these segments, durably. */
  remove(offsets: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      const { fileSystem, folder } = this.#need
      for (const offset of offsets) await fileSystem.unlink(this.#path(offset))
      await fileSystem.fsyncFolder(folder)
    })
  }

  /** Brings the points of a cold segment into memory: from its index file, else by reading the segment's heads. */
  async loadPoints(segment: Segment): Promise<EntryPoints> {
    const index = await this.read(segment.start.offset)
    const isOfSegment =
      index !== undefined && index.end.offset === segment.end.offset && index.end.crc === segment.end.crc
    const points = isOfSegment ? index.points : await this.#scan(segment)
    segment.setPoints(points)
    this.keep(segment)
    return points
  }

  /** Counts the segment among those whose points are in memory; the ones not used for longest let theirs go. */
  keep(segment: Segment): void {
    this.#loaded.delete(segment)
    this.#loaded.add(segment)
    for (const other of this.#loaded) {
      if (this.#loaded.size <= this.#need.maxLoaded) return
      other.setPoints(undefined)
      this.#loaded.delete(other)
    }
  }

  /** Resolves when all that was asked for is done. */
  idle(): Promise<void> {
    return this.#work
  }

  async #scan(segment: Segment): Promise<EntryPoints> {
    const points = new EntryPoints()
    const base = segment.start.offset
    await this.#need.descriptors.use(base, (file) =>
      scanFrames({
        file,
        base,
        from: { position: segment.start, isChained: false },
        until: segment.end.offset,
        onFrame(frame, end) {
          points.add(end.index, end.offset - frame.length)
          return true
        },
      }),
    )
    return points
  }

  #path(offset: number): string {
    return `${this.#need.folder}/${segmentName(offset)}.index`
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => undefined)
    return done
  }
}
